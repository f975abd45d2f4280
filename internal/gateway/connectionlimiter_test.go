package gateway

import (
	"net"
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
