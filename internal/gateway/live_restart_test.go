package gateway

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

type gaps struct {
	mu      sync.Mutex
	last    map[string]time.Time
	longest map[string]time.Duration
}

func (r *rig) measure(name string, load *load, all []*readers, d time.Duration) {
	begin := time.Now()
	type st struct {
		n    int64
		at   time.Time
		long time.Duration
		when time.Duration
	}
	sts := map[*readers]*st{}
	for _, rs := range all {
		sts[rs] = &st{n: rs.count.Load(), at: begin}
	}
	perKey := map[string]*st{}
	for time.Since(begin) < d {
		time.Sleep(5 * time.Millisecond)
		for _, rs := range all {
			s := sts[rs]
			if n := rs.count.Load(); n != s.n {
				s.n, s.at = n, time.Now()
			} else if g := time.Since(s.at); g > s.long {
				s.long, s.when = g, time.Since(begin)
			}
			rs.mu.Lock()
			for k, v := range rs.seen {
				if k[:3] != "key" {
					continue
				}
				id := rs.group + k
				p := perKey[id]
				if p == nil {
					p = &st{at: begin}
					perKey[id] = p
				}
				if int64(len(v)) != p.n {
					p.n, p.at = int64(len(v)), time.Now()
				} else if g := time.Since(p.at); g > p.long {
					p.long = g
				}
			}
			rs.mu.Unlock()
		}
	}
	for _, rs := range all {
		var key time.Duration
		for id, p := range perKey {
			if len(id) > len(rs.group) && id[:len(rs.group)] == rs.group {
				key = max(key, p.long)
			}
		}
		dup := 0
		rs.mu.Lock()
		for _, ds := range rs.got {
			for _, x := range ds {
				dup += x.times() - 1
			}
		}
		rs.mu.Unlock()
		fmt.Printf("RESULT %s %s: longest gap %s (at %s), of a key %s, duplicates %d, read %d\n", name, rs.group, sts[rs].long, sts[rs].when, key, dup, rs.count.Load())
	}
	fmt.Println("RESULT", name, load)
}

func (r *rig) crew(topic string) (all []*readers) {
	all = append(all, r.javaConsume(r.group("java"), 3, javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: javaclient.Concurrent}))
	all = append(all, r.javaConsume(r.group("orderly"), 2, javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: javaclient.Orderly}))
	all = append(all, r.consume(r.group("go"), topic, 2, false))
	return all
}

func TestLongXMeasureStock(t *testing.T) {
	own := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", Brokers: 1})
	r := newRigBetween(t, "stock", own, labtest.Cluster(t, "5.3.3"))
	r.breaks = breaksBrokers
	topic := r.topic("orders", 8)
	r.entrance = own.NameServers[0]
	all := r.crew(topic)
	r.warmUp(topic, all...)
	load := r.produce(topic, "key", 8, 20*time.Millisecond)
	r.untilMore(300, load)
	go func() {
		own.KillBroker(own.Brokers[0].Name)
		time.Sleep(time.Second)
		own.StartBroker(r.ctx, own.Brokers[0].Name)
	}()
	r.measure("stock", load, all, 45*time.Second)
	load.end()
}

func TestLongXMeasureGateway(t *testing.T)  { measureGateway(t, "kill") }
func TestLongXMeasureHandOver(t *testing.T) { measureGateway(t, "handover") }

func measureGateway(t *testing.T, how string) {
	r := newRig(t, "restarts")
	r.breaks = breaksGateways
	topic := r.topic("orders", 8)
	p := r.spawnAlone()
	all := r.crew(topic)
	r.warmUp(topic, all...)
	load := r.produce(topic, "key", 8, 20*time.Millisecond)
	r.untilMore(300, load)
	go func() {
		if how == "kill" {
			p.kill()
			time.Sleep(time.Second)
		}
		p = r.spawn()
	}()
	r.measure(how, load, all, 45*time.Second)
	if os.Getenv("DBG") != "" {
		t.Fail()
	}
	load.end()
}
