package replicator

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// network is a way to servers that can be cut: connections stay open, and nothing goes through
// until it is whole again.
type network struct {
	*testing.T
	mu    sync.Mutex
	ports map[string]string        // of forwarders by the server's address
	whole map[string]chan struct{} // of addresses that are cut: closed when they aren't any more
}

func newNetwork(t *testing.T) *network {
	return &network{T: t, ports: map[string]string{}, whole: map[string]chan struct{}{}}
}

func (n *network) cut(addr string) (heal func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	whole := make(chan struct{})
	n.whole[addr] = whole
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.whole, addr)
		close(whole)
	}
}

// pass waits until the way to the server is whole.
func (n *network) pass(ctx context.Context, addr string) error {
	n.mu.Lock()
	whole, cut := n.whole[addr]
	n.mu.Unlock()
	if !cut {
		return nil
	}
	select {
	case <-whole:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *network) dial(ctx context.Context, addr string) (net.Conn, error) {
	if err := n.pass(ctx, addr); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ports[addr] == "" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		n.Cleanup(func() { _ = listener.Close() })
		n.ports[addr] = listener.Addr().String()
		go n.forward(listener, addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", n.ports[addr])
}

func (n *network) forward(listener net.Listener, addr string) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", addr)
		if err != nil {
			_ = near.Close()
			continue
		}
		go n.carry(near, far, addr)
		go n.carry(far, near, addr)
	}
}

func (n *network) carry(from, to net.Conn, addr string) {
	defer from.Close()
	defer to.Close()
	piece := make([]byte, 64<<10)
	for {
		size, err := from.Read(piece)
		if err != nil || n.pass(context.Background(), addr) != nil {
			return
		}
		if _, err := to.Write(piece[:size]); err != nil {
			return
		}
	}
}

func TestLongLanesOutliveANetworkThatIsCut(t *testing.T) {
	t.Parallel()
	l := newLive(t, "cut", 1)
	n := newNetwork(t)
	through := func(version string) *rocketmq.Cluster {
		client := rocketmq.NewClient(rocketmq.Options{CallTimeout: 2 * time.Second, Dial: n.dial})
		t.Cleanup(client.Close)
		return rocketmq.NewCluster(client, labtest.Cluster(t, version).NameServers)
	}
	one, two := l.lanes[0], l.lanes[1]
	source, target := l.broker(l.source, two.Source.Broker), l.broker(l.target, two.Target.Broker)
	r := NewReplicator(through("4.9.7"), through("5.3.3"), Options{Names: l.names(), Holder: "one", BatchMessages: 10})
	r.timing.report, r.timing.sendTimeout, r.timing.retryMax = 20*time.Millisecond, time.Second, 200*time.Millisecond
	c := l.run(r, l.lanes)
	l.fill(100)
	l.untilCopied(c)

	heal := n.cut(source)
	l.fill(100)
	l.until("the lane of the other broker goes on", c, func(p lane.Progress) bool { return p.Copied == 300 })
	heal()
	l.untilCopied(c)

	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		again := time.NewTicker(time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-stop:
				return
			case <-again.C:
				if c.progress().Lag < 2000 { // what is copied in seconds
					l.fill(50)
				}
			}
		}
	})
	for range 3 { // each with batches in flight, which are stored, or lost, or late
		before := c.progress().Copied
		l.until("copies are made under load", c, func(p lane.Progress) bool { return p.Copied > before+500 })
		heal = n.cut(target)
		l.until("the lanes say that they wait for the target", c,
			func(p lane.Progress) bool { return strings.Contains(p.Waiting, "target broker "+one.Target.Broker) })
		heal()
	}
	close(stop)
	writing.Wait()
	l.untilCopied(c)
	if p := c.stop(); len(p.Faults) > 0 {
		t.Fatalf("faults %+v", p.Faults)
	}
	got := l.verify()
	l.wantClean(got.Compared)
}
