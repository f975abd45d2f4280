package connections

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFullHouseLetsThoseGoThatHaveSaidNothing(t *testing.T) {
	d := Limiter{Most: 8}
	conn := func() net.Conn {
		c, _ := net.Pipe()
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	enter := func() (g, goes *Limited) {
		g, all := d.Enter(conn())
		require.LessOrEqual(t, len(all), 1)
		if len(all) == 1 {
			goes = all[0]
		}
		return g, goes
	}
	one, goes := enter()
	require.Nil(t, goes)
	one.Speaks()
	one.Speaks()
	assert.Equal(t, PerClient, d.Taken)
	two, goes := enter()
	require.Nil(t, goes)
	for range 4 {
		_, goes = enter()
		require.Nil(t, goes)
	}
	assert.Equal(t, 8, d.Taken)
	_, goes = enter()
	assert.Same(t, two, goes, "it has waited longest")
	two.Speaks() // which it has written before it was closed
	two.Leave()
	assert.Equal(t, 8, d.Taken)
	one.Leave()
	one.Leave()
	assert.Equal(t, 8-PerClient, d.Taken)

	d = Limiter{Most: PerClient}
	one, _ = enter()
	one.Speaks()
	two, goes = enter()
	assert.Same(t, two, goes, "those that work stay")
	assert.Equal(t, PerClient, d.Taken)
}

// Where all connections have spoken, those of the address that has most go for an address that has
// few.
func TestAnAddressCannotKeepOthersOut(t *testing.T) {
	c := Limiter{Most: 20 * PerClient}
	enter := func(n byte) (*Limited, []*Limited) {
		return c.Enter(&addressed{at: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}})
	}
	for range 20 {
		g, goes := enter(2)
		require.Empty(t, goes)
		require.Empty(t, g.Speaks())
	}
	own, goes := enter(2)
	require.Equal(t, []*Limited{own}, goes, "of its own address it is the last one")
	for n := range byte(5) {
		g, goes := enter(3)
		require.NotContains(t, goes, g)
		require.NotContains(t, g.Speaks(), g)
		require.Equal(t, int(n+1)*PerClient, c.houses[netip.MustParsePrefix("127.0.0.3/32")].taken)
	}
	assert.LessOrEqual(t, c.Taken, c.Most)
	for range 40 { // more than there is room for, before any of them speaks
		enter(4)
	}
	silent := []*Limited{}
	for at := c.silent.Front(); at != nil; at = at.Next() {
		silent = append(silent, at.Value.(*Limited))
	}
	for _, g := range silent {
		g.Speaks()
		require.LessOrEqual(t, c.Taken, c.Most)
	}
	assert.Equal(t, 5*PerClient, c.houses[netip.MustParsePrefix("127.0.0.3/32")].taken, "who has few stays")
}

// addressed is a connection from somewhere.
type addressed struct {
	net.Conn
	at net.Addr
}

func (a *addressed) RemoteAddr() net.Addr { return a.at }
