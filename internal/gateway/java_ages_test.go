package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/lab/javaclient"
)

// Java clients of three versions send and read in every way that they have, while groups and homes go to the target and back five times.
func TestLiveJavaClientsOfAllAgesAndKinds(t *testing.T) {
	r := newRig(t, "java")
	topic := r.topic("java", 2)
	all := map[string]javaclient.Consumer{
		"java-orderly-497":    {Version: "4.9.7", Mode: javaclient.Orderly},
		"java-orderly-452":    {Version: "4.5.2", Mode: javaclient.Orderly},
		"java-orderly-533":    {Version: "5.3.3", Mode: javaclient.Orderly},
		"java-concurrent-497": {Version: "4.9.7", Mode: javaclient.Concurrent, FailEvery: 50},
		"java-concurrent-452": {Version: "4.5.2", Mode: javaclient.Concurrent},
		"java-tag-533":        {Version: "5.3.3", Mode: javaclient.Concurrent, Filter: "tag1 || tag2"},
		"java-sql-497":        {Version: "4.9.7", Mode: javaclient.Concurrent, Filter: "sql:number >= 20"},
		"java-broadcast-497":  {Version: "4.9.7", Mode: javaclient.Broadcast},
		"java-pull-452":       {Version: "4.5.2", Mode: javaclient.Pull},
		"java-pull-497":       {Version: "4.9.7", Mode: javaclient.Pull},
		"java-litepull-497":   {Version: "4.9.7", Mode: javaclient.LitePull}, // that of 5.3.3 reads nothing from a 4.9.7 broker, without a gateway either,
	}
	names := sortedKeys(all)
	for _, name := range names {
		r.group(name)
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
		groups[name] = r.javaConsume(name, members, c)
	}
	groups["java-tag-533"].wants = func(n int) bool { return n%3 != 0 }
	groups["java-sql-497"].wants = func(n int) bool { return n >= 20 }
	var readers []*readers
	for _, name := range names {
		readers = append(readers, groups[name])
	}
	r.untilAllWork(r.javaProduce(topic, "4.9.7", javaclient.Sync, 16, 20*time.Millisecond), readers...)
	loads := map[string]*load{}
	for _, p := range [][2]string{
		{"4.5.2", javaclient.Ordered},
		{"4.9.7", javaclient.Ordered},
		{"5.3.3", javaclient.Ordered},
		{"4.9.7", javaclient.Async},
		{"5.3.3", javaclient.Batch},
		{"4.5.2", javaclient.OneWay},
		{"4.5.2", javaclient.Sync},
	} {
		loads[p[1]+" "+p[0]] = r.javaProduce(topic, p[0], p[1], 2, 40*time.Millisecond)
	}
	flows := func() {
		at := map[any]int64{}
		for name, l := range loads {
			at[name] = l.sent.Load()
		}
		for _, rs := range readers {
			at[rs] = rs.got.Load()
		}
		r.eventually("traffic flows", func() bool {
			for name, l := range loads {
				if l.sent.Load() < at[name]+20 {
					return false
				}
			}
			for _, rs := range readers {
				if rs.got.Load() < at[rs]+100 {
					return false
				}
			}
			return true
		})
	}
	for round := range 5 {
		for _, to := range []string{"target", "source"} {
			was := r.move(Move{Kind: KindSide, To: to, Groups: names})
			home := r.move(Move{Kind: KindHome, To: to, Topics: []string{topic}})
			t.Logf("round %d: to the %s: groups %d in %s, homes %d in %s", round, to, was.Moved, time.Duration(was.Held), home.Moved, time.Duration(home.Held))
			flows()
		}
	}
	for name, l := range loads {
		l.end()
		assert.Empty(t, l.errors, name)
		t.Logf("%s: %d sent, longest %s", name, l.sent.Load(), l.longest)
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
	t.Logf("state %+v", g.State().Groups)
}
