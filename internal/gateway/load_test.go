package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/require"
)

// load is what a stock producer sends. Messages are numbered by key. The client itself sends each
// once: an attempt that fails is followed by another one of the same number, which says in its body
// which attempt it is. So a message that is there twice was sent twice, or an attempt was stored
// twice.
type load struct {
	*rig
	topic, name string
	stop        chan struct{}
	done        sync.WaitGroup
	resting     sync.RWMutex // who sends holds it for reading

	mu      sync.Mutex
	acked   map[string]map[int]bool // by key: the numbers that were acknowledged
	failed  int                     // attempts that may fail in this test, see failure
	late    []attempt               // that the client gave up after its time-out
	faults  []string                // attempts that failed as nothing but the gateway lets them fail
	longest time.Duration
	sent    atomic.Int64
}

// attempt is one attempt to send a message.
type attempt struct {
	message
	number     string // "0", or which other attempt it is
	begin, end time.Time
}

// message is a message of a load.
type message struct {
	key    string
	number int
}

func (m message) String() string { return fmt.Sprint(m.key, " ", m.number) }

// body is what a message says in an attempt.
func (m message) body(attempt int) string {
	if attempt == 0 {
		return m.String()
	}
	return fmt.Sprint(m, " ", attempt)
}

// produce starts a stock producer that sends by keys, each key in order.
func (r *rig) produce(topic, prefix string, keys int, pause time.Duration) *load {
	r.Helper()
	l := r.newLoad(topic, prefix)
	p, err := stock.NewProducer(
		producer.WithNsResolver(
			primitive.NewPassthroughResolver([]string{r.entrance}),
		),
		producer.WithGroupName("producers-"+topic),
		producer.WithInstanceName(
			prefix+topic,
		),
		producer.WithQueueSelector(byKey{producer.NewHashQueueSelector()}),
		producer.WithRetry(0),
		producer.WithCredentials(l.signs),
	)
	require.NoError(r, err)
	require.NoError(r, p.Start())
	for k := range keys {
		l.done.Go(func() { l.send(p, fmt.Sprint(prefix, k), pause) })
	}
	r.Cleanup(func() {
		l.end()
		_ = p.Shutdown()
	})
	return l
}

func (r *rig) newLoad(topic, name string) *load {
	l := &load{rig: r, topic: topic, name: name, stop: make(chan struct{}), acked: map[string]map[int]bool{}}
	r.Cleanup(func() {
		if r.Failed() {
			r.Log(l)
		}
	})
	return l
}

// String tells what became of the attempts.
func (l *load) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%s: %d sent, longest %s; %d attempts failed, %d were late", l.name, l.sent.Load(),
		l.longest, l.failed+len(l.faults), len(l.late))
}

// ack takes note of a message that was acknowledged.
func (l *load) ack(key string, n int, took time.Duration) {
	l.mu.Lock()
	if l.acked[key] == nil {
		l.acked[key] = map[int]bool{}
	}
	l.acked[key][n] = true
	l.longest = max(l.longest, took)
	l.mu.Unlock()
	l.sent.Add(1)
}

func (l *load) send(p stock.Producer, key string, pause time.Duration) {
	for n, number := 0, 0; ; {
		select {
		case <-l.stop:
			return
		case <-time.After(pause):
		}
		m := message{key, n}
		l.resting.RLock()
		begin := time.Now()
		_, err := p.SendSync(context.Background(),
			primitive.NewMessage(l.topic, []byte(m.body(number))).WithShardingKey(key))
		l.resting.RUnlock()
		if err == nil {
			l.ack(key, n, time.Since(begin))
			n, number = n+1, 0
			continue
		}
		l.fail(attempt{m, fmt.Sprint(number), begin, time.Now()}, err.Error())
		number++
	}
}

// rest does something while nothing is on its way.
func (l *load) rest(do func()) {
	l.resting.Lock()
	defer l.resting.Unlock()
	do()
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.done.Wait()
}

// failure is what a failed attempt to send says of who let it fail.
type failure int

const (
	unexpected failure = iota // nothing but the gateway can be the cause
	timedOut                  // the client has waited for its three seconds, as client-go does whatever it is told
	expected                  // the test breaks something, or a stock server or client says that the machine is busy
)

// breaks is what a test breaks.
type breaks int

const (
	breaksNothing  breaks = iota
	breaksGateways        // clients see connections end
	breaksBrokers         // and the gateway says which broker it can't reach, or has lost
)

const (
	saidByGateway = "rocketshift gateway: "
	// gaveBack is what the gateway says to clients of which it has held a send for three seconds:
	// longer than their time-out, after which they aren't sure that it wasn't stored. A move has
	// two, unless the machine is busy.
	gaveBack = "it waited too long while its queue's home moved"
	// inDoubt is what a gateway of several says while it doesn't know how a round ended whose
	// leader was killed.
	inDoubt = "is ordered, and other gateways may send to its other side"
)

// failureOf judges an attempt's error.
func (l *load) failureOf(why string) failure {
	contains := func(text ...string) bool {
		for _, one := range text {
			if strings.Contains(why, one) {
				return true
			}
		}
		return false
	}
	switch {
	case contains(gaveBack):
		return expected
	case contains(saidByGateway):
		if l.breaks == breaksBrokers && contains("source broker ", "target broker ") ||
			l.breaks == breaksGateways && contains(inDoubt) {
			return expected
		}
		return unexpected
	case l.breaks != breaksNothing,
		contains("broker busy", "system busy"): // a stock broker that is slower than it allows itself to be
		return expected
	case contains("route info not found", "No route info") && l.sent.Load() == 0: // name servers are given three seconds too, and nothing was sent
		return expected
	case contains("request timeout"):
		return timedOut
	}
	return unexpected
}

// fail takes note of an attempt that failed.
func (l *load) fail(a attempt, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.failureOf(why) {
	case expected:
		l.failed++
	case timedOut:
		l.late = append(l.late, a)
	case unexpected:
		l.faults = append(l.faults, fmt.Sprint(a.message, ", attempt ", a.number, ": ", why))
	}
}
