package gateway

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFullHouseLetsThoseGoThatHaveSaidNothing(t *testing.T) {
	d := connectionLimiter{most: 8}
	conn := func() net.Conn {
		c, _ := net.Pipe()
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	enter := func() (g, goes *limitedConnection) {
		g, all := d.enter(conn())
		require.LessOrEqual(t, len(all), 1)
		if len(all) == 1 {
			goes = all[0]
		}
		return g, goes
	}
	one, goes := enter()
	require.Nil(t, goes)
	one.speaks()
	one.speaks()
	assert.Equal(t, perClient, d.taken)
	two, goes := enter()
	require.Nil(t, goes)
	for range 4 {
		_, goes = enter()
		require.Nil(t, goes)
	}
	assert.Equal(t, 8, d.taken)
	_, goes = enter()
	assert.Same(t, two, goes, "it has waited longest")
	two.speaks() // which it has written before it was closed
	two.leave()
	assert.Equal(t, 8, d.taken)
	one.leave()
	one.leave()
	assert.Equal(t, 8-perClient, d.taken)

	d = connectionLimiter{most: perClient}
	one, _ = enter()
	one.speaks()
	two, goes = enter()
	assert.Same(t, two, goes, "those that work stay")
	assert.Equal(t, perClient, d.taken)
}

// Where all connections have spoken, those of the address that has most go for an address that has
// few.
func TestAnAddressCannotKeepOthersOut(t *testing.T) {
	c := connectionLimiter{most: 20 * perClient}
	enter := func(n byte) (*limitedConnection, []*limitedConnection) {
		return c.enter(&addressed{at: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}})
	}
	for range 20 {
		g, goes := enter(2)
		require.Empty(t, goes)
		require.Empty(t, g.speaks())
	}
	own, goes := enter(2)
	require.Equal(t, []*limitedConnection{own}, goes, "of its own address it is the last one")
	for n := range byte(5) {
		g, goes := enter(3)
		require.NotContains(t, goes, g)
		require.NotContains(t, g.speaks(), g)
		require.Equal(t, int(n+1)*perClient, c.houses[netip.MustParsePrefix("127.0.0.3/32")].taken)
	}
	assert.LessOrEqual(t, c.taken, c.most)
	for range 40 { // more than there is room for, before any of them speaks
		enter(4)
	}
	silent := []*limitedConnection{}
	for at := c.silent.Front(); at != nil; at = at.Next() {
		silent = append(silent, at.Value.(*limitedConnection))
	}
	for _, g := range silent {
		g.speaks()
		require.LessOrEqual(t, c.taken, c.most)
	}
	assert.Equal(t, 5*perClient, c.houses[netip.MustParsePrefix("127.0.0.3/32")].taken, "who has few stays")
}

// addressed is a connection from somewhere.
type addressed struct {
	net.Conn
	at net.Addr
}

func (a *addressed) RemoteAddr() net.Addr { return a.at }
