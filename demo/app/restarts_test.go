package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/demo/verdict"
)

func TestLongRestartsOfApplicationsLoseRepeatAndReorderNothing(t *testing.T) {
	for _, version := range []string{"4.9.7", "5.3.3"} {
		t.Run(version, func(t *testing.T) {
			b := newFixture(t, version, "app-restarts")
			b.setTopic(6)
			produce := func() *app { return b.producer("-rate", "200", "-history", "3000") }
			orderly := func() *app { return b.member("orderly", "-orderly") }
			concurrent := func() *app { return b.member("concurrent", "-work", "3ms") }
			p, o, c := produce(), orderly(), concurrent()
			for round := range 3 {
				o.stop()
				c.stop()
				had := len(b.received("orderly"))
				c, o = concurrent(), orderly()
				if round == 1 {
					p.stop()
					p = produce()
				}
				b.await("deliveries after a restart", func() bool { return len(b.received("orderly")) > had+200 })
			}
			p.stop()
			b.awaitAll("orderly", "concurrent")
			o.stop()
			c.stop()
			v := b.requireNoHarm("p-1", verdict.Group{Name: "orderly", Orderly: true},
				verdict.Group{Name: "concurrent"})
			require.Greater(t, v.Messages, int64(3000))
		})
	}
}
