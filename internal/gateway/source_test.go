package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// clusterAt are a name server and a broker of a cluster with that name of its broker.
func clusterAt(t *testing.T, broker string) (names, at string) {
	t.Helper()
	all := func(int) bool { return true }
	n, b := newStandIn(t, all), newStandIn(t, all)
	n.answer(remoting.CodeClusterInfo, wire.Reply{Body: fmt.Appendf(nil, `{"brokerAddrTable":{%q:`+
		`{"brokerAddrs":{0:%q},"brokerName":%q,"cluster":"C"}}}`, broker, b.Addr(), broker)})
	b.answer(codeRuntime, wire.Reply{Body: []byte(`{"table":{"brokerVersionDesc":"V4_9_7"}}`)})
	b.answer(codeTopicConfigs, wire.Reply{Body: []byte(`{"topicConfigTable":{}}`)})
	return n.Addr().String(), b.Addr().String()
}

// A gateway that knows of homes, groups or an open round isn't started before another source:
// brokers of many clusters have the same names, and sends would go to queues of other messages.
func TestAStateIsOfOneSource(t *testing.T) {
	const before = "127.0.0.1:9"
	names, at := clusterAt(t, "broker-a")
	other, _ := clusterAt(t, "broker-b")
	home := func(s *store.State) {
		s.Homes = []store.Home{{Topic: "orders", Broker: "broker-a", Queue: 0, Home: "target", Shift: 7}}
	}
	group := func(s *store.State) {
		s.Views = []store.View{
			{Group: "g", Topic: "orders", Broker: "broker-a", Queue: 0, Side: "target", Shift: [2]int64{}, Proved: 0},
		}
	}
	open := func(s *store.State) { s.Open = &store.Part{Round: homeRound("1", 1)} }
	known := func(s *store.State) {
		home(s)
		s.Brokers["source"]["broker-a"] = []string{at}
	}
	for name, c := range map[string]struct {
		change      func(*store.State)
		before, now []string
		says        string // "": it starts
	}{
		"another one":             {home, []string{before}, []string{names}, "broker broker-a is at " + at},
		"one without its brokers": {home, []string{before}, []string{other}, "no broker broker-a is there"},
		"one that can't be asked": {home, []string{before}, []string{"127.0.0.1:1"}, "whether it is the " +
			"same isn't known"},
		"a group is away":           {group, []string{before}, []string{names}, "broker broker-a is at"},
		"a round is open":           {open, []string{before}, []string{names}, "broker broker-a is at"},
		"the authority is away":     {func(s *store.State) { s.Authority = "target" }, []string{before}, []string{names}, "broker broker-a is at"},
		"nothing is away":           {func(*store.State) {}, []string{before}, []string{names}, ""},
		"other name servers of it":  {known, []string{before}, []string{names}, ""},
		"the same":                  {home, []string{names}, []string{names}, ""},
		"the same in another order": {home, []string{before, names}, []string{names, before}, ""},
		"of a release before this":  {home, nil, []string{names}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stood(t, c.change)
			if c.before != nil {
				require.NoError(t, os.WriteFile(sourceIn(dir), jsonOf(savedSource{c.before}), 0o600))
			}
			text, err := os.ReadFile(filepath.Join(dir, "gateway.json"))
			require.NoError(t, err)
			g, err := Start(
				Config{Name: "g", Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: dir, NameServers: c.now},
			)
			if c.says == "" {
				require.NoError(t, err)
				g.Close()
				is, err := readSource(dir)
				require.NoError(t, err)
				require.Equal(t, c.now, is.NameServers)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "move them back first")
			require.ErrorContains(t, err, before)
			after, err := os.ReadFile(filepath.Join(dir, "gateway.json"))
			require.NoError(t, err)
			require.Equal(t, string(text), string(after), "nothing was written")
		})
	}
}

func TestAFileOfTheSourceThatCannotBeReadIsNotGoneBy(t *testing.T) {
	for _, text := range []string{"", "null", "{}", `{"nameServers":[]}`, "[]"} {
		dir := stood(t, func(s *store.State) { s.Authority = "target" })
		require.NoError(t, os.WriteFile(sourceIn(dir), []byte(text), 0o600))
		_, err := begins(t, dir)
		require.ErrorContains(t, err, "of which source its state is can't be read", text)
	}
}
