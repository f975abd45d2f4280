package gateway

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// Java clients of three versions send and read in every way that they have, while groups and homes
// go to the target and back: five times in make test-loops. The short form leaves out the kinds that
// other tests have, too.
func TestLongJavaClientsOfAllAgesAndKinds(t *testing.T) {
	r := newRig(t, "java")
	topic := r.topic("java", 2)
	all := map[string]javaclient.Consumer{
		"orderly-497":    {Version: "4.9.7", Mode: javaclient.Orderly},
		"orderly-452":    {Version: "4.5.2", Mode: javaclient.Orderly},
		"orderly-533":    {Version: "5.3.3", Mode: javaclient.Orderly},
		"concurrent-497": {Version: "4.9.7", Mode: javaclient.Concurrent, FailEvery: 50},
		"concurrent-452": {Version: "4.5.2", Mode: javaclient.Concurrent},
		"tag-533":        {Version: "5.3.3", Mode: javaclient.Concurrent, Filter: "tag1 || tag2"},
		"sql-497":        {Version: "4.9.7", Mode: javaclient.Concurrent, Filter: "sql:number >= 20"},
		"broadcast-497":  {Version: "4.9.7", Mode: javaclient.Broadcast},
		"pull-452":       {Version: "4.5.2", Mode: javaclient.Pull},
		"pull-497":       {Version: "4.9.7", Mode: javaclient.Pull},
		"litepull-497": {
			Version: "4.9.7",
			Mode:    javaclient.LitePull,
		}, // that of 5.3.3 reads nothing from a 4.9.7 broker, without a gateway either,
	}
	producers := [][2]string{
		{"4.5.2", javaclient.Ordered},
		{"4.9.7", javaclient.Ordered},
		{"5.3.3", javaclient.Ordered},
		{"4.9.7", javaclient.Async},
		{"5.3.3", javaclient.Batch},
		{"4.5.2", javaclient.OneWay},
		{"4.5.2", javaclient.Sync},
	}
	if !labtest.Whole() {
		for _, name := range []string{"orderly-497", "orderly-533", "concurrent-497", "broadcast-497"} {
			delete(all, name)
		}
		producers = [][2]string{
			{"4.5.2", javaclient.Ordered},
			{"5.3.3", javaclient.Ordered},
			{"4.9.7", javaclient.Async},
			{"5.3.3", javaclient.Batch},
			{"4.5.2", javaclient.OneWay},
		}
	}
	names, group := routing.SortedKeys(all), map[string]string{}
	for _, name := range names {
		group[name] = r.group(name)
	}
	r.replicate()
	g := r.open()
	groups := map[string]*readers{}
	for _, name := range names {
		c := all[name]
		c.Topic = topic
		members := 1
		if c.Mode == javaclient.Concurrent && c.Filter == "" {
			members = 2
		}
		groups[name] = r.javaConsume(group[name], members, c)
	}
	groups["tag-533"].wants = func(n int) bool { return n%3 != 0 }
	groups["sql-497"].wants = func(n int) bool { return n >= 20 }
	var readers []*readers
	for _, name := range names {
		readers = append(readers, groups[name])
	}
	r.untilAllWork(r.javaProduce(topic, "4.9.7", javaclient.Sync, 16, 20*time.Millisecond), readers...)
	loads := map[string]*load{}
	for _, p := range producers {
		loads[p[1]+" "+p[0]] = r.javaProduce(topic, p[0], p[1], 2, 40*time.Millisecond)
	}
	var flows [2][]flow
	for _, l := range loads {
		flows[0] = append(flows[0], l)
	}
	for _, rs := range readers {
		flows[1] = append(flows[1], rs)
	}
	for round := range labtest.Rounds(5, 1) {
		for _, to := range []string{"target", "source"} {
			was := r.move(control.Move{Kind: control.KindSide, To: to, Groups: slices.Collect(maps.Values(group))})
			home := r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{topic}})
			t.Logf("round %d: to the %s: groups %d in %s, homes %d in %s", round, to, was.Moved,
				time.Duration(was.Held), home.Moved, time.Duration(home.Held))
			r.untilMore(20, flows[0]...)
			r.untilMore(100, flows[1]...)
		}
	}
	for _, l := range loads {
		l.end()
		r.sentWell(groups["pull-497"], l)
		t.Log(l)
	}
	for _, name := range names {
		for producer, l := range loads {
			groups[name].untilRead(l)
			v := groups[name].judge(l)
			if !strings.HasPrefix(producer, javaclient.Ordered) || all[name].Mode != javaclient.Orderly {
				v.outOfOrder = 0 // nobody promises it
			}
			assert.Equal(t, verdict{}, v, "%s by %s", producer, name)
		}
	}
	t.Logf("%d groups", len(g.State().Groups))
}
