package gateway

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab/labtest"
)

// waysPage is where the table is; the test writes it where writeTable is set in the environment.
const (
	waysPage   = "../../docs/reference/stock-clients.md"
	writeTable = "WRITE_CLIENT_TABLE"
	tableBegin = "<!-- what TestLongStockClientsSendAndReadInAllTheirWays has seen -->\n"
)

// Whatever stock clients send and read at the clusters themselves they send and read through the
// gateway, before and after everything has moved. The page says what was tried, and what came.
func TestLongStockClientsSendAndReadInAllTheirWays(t *testing.T) {
	labtest.Loop(t)
	r := newRig(t, "ways")
	topics, groups := map[string]string{}, map[string][]string{}
	for _, c := range stockClients() {
		short := strings.NewReplacer(" ", "-", ".", "-", "+", "p").Replace(strings.ToLower(c.name))
		topics[c.name] = r.topic(short, 2)
		for _, read := range c.reads {
			groups[c.name] = append(groups[c.name], r.group(short+"-"+read))
		}
	}
	r.replicate()
	r.open()
	results, mu := map[string]map[string]map[[2]string]string{}, sync.Mutex{}
	t.Run("clients", func(t *testing.T) {
		for _, c := range stockClients() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				one := *r
				one.T = t
				is := one.inAllWays(c, topics[c.name], groups[c.name])
				mu.Lock()
				defer mu.Unlock()
				results[c.name] = is
			})
		}
	})
	page, err := os.ReadFile(waysPage)
	require.NoError(t, err)
	before, _, _ := strings.Cut(string(page), tableBegin)
	want := before + tableBegin + waysTable(results)
	if os.Getenv(writeTable) != "" {
		require.NoError(t, os.WriteFile(waysPage, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(page), "write it with %s=1", writeTable)
}

// inAllWays runs a client in all places. What it can do at a cluster it must be able to do through
// the gateway.
func (r *rig) inAllWays(
	c stockClient, topic string, groups []string,
) map[string]map[[2]string]string {
	r.Helper()
	prefix := strings.TrimSuffix(groups[0], c.reads[0])
	is := map[string]map[[2]string]string{}
	for place, cluster := range map[string]int{"source": 0, "target": 1} {
		side := r.source
		if cluster == 1 {
			side = r.target
		}
		direct := topic + "-" + place
		for _, b := range r.brokers(side) {
			r.make(side, b, direct, 2)
		}
		w := r.startWays(c, side.NameServers()[0], direct, prefix+place+"-")
		w.warm()
		is[place] = w.judged("judged")
		w.stop()
	}
	w := r.startWays(c, r.entrance, topic, prefix)
	w.warm()
	is["gateway"] = w.judged("before")
	r.move(control.Move{Kind: control.KindSide, To: "target", Groups: groups, Accept: groups})
	r.move(control.Move{Kind: control.KindHome, To: "target", Topics: []string{topic}})
	is["gateway, moved"] = w.judged("after")
	w.stop()
	for kind, at := range is["source"] {
		if at != whole {
			continue
		}
		assert.Equal(r, whole, is["gateway"][kind], "%s through the gateway: %v", c.name, kind)
		if is["target"][kind] == whole {
			assert.Equal(r, whole, is["gateway, moved"][kind], "%s, moved: %v", c.name, kind)
		}
	}
	return is
}
