package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// passage is a client's session between loopback connections: a client that writes and reads bytes,
// and a broker of each side that answers at once. None of them makes garbage, so what is allocated
// is the gateway's.
type passage struct {
	testing.TB
	gateway *Gateway
	client  net.Conn
	in      *wire.Reader
	queue   *routing.Queue
	view    *routing.View
	asked   *atomic.Int64 // requests that brokers have got
}

// firstOpaque has as many digits as all numbers of clients' requests here, which are put into
// templates of frames without making texts. Those that brokers get have more.
const firstOpaque = 1_000_000

// newPassage is one whose brokers answer everything with a header and a body.
func newPassage(tb testing.TB, header string, body []byte) *passage {
	tb.Helper()
	answer := headed(asBroker(header), body)
	var asked atomic.Int64
	return newPassageTo(tb, func(conn net.Conn) { answerAll(conn, answer, &asked) }, &asked)
}

// newPassageTo is one whose brokers do something else with a connection.
func newPassageTo(tb testing.TB, serve func(net.Conn), asked *atomic.Int64) *passage {
	tb.Helper()
	g := bare(Config{})
	g.clients.opaques.last.Store(lowestOpaque)
	g.sides.Targets.Store(&[]string{"broker-t"})
	here, there := listen(tb), listen(tb)
	g.sides.Brokers[routing.Source].Store(&map[string][]string{"broker-a": {here.Addr().String()}})
	g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-t": {there.Addr().String()}})
	for _, l := range []net.Listener{here, there} {
		go acceptAll(l, serve)
	}
	if keptPassages {
		g.config.KeepConnections, g.config.Dir = true, tb.TempDir()
		g.startKeeper()
		tb.Cleanup(g.clients.keepNoMore)
	}
	door := listen(tb)
	client, err := net.Dial("tcp", door.Addr().String())
	require.NoError(tb, err)
	conn, err := door.Accept()
	require.NoError(tb, err)
	p := &port{
		Dest:   routing.Dest{Side: routing.Source, Broker: "broker-a"},
		broker: []byte("broker-a"),
		host:   netip.MustParseAddrPort("127.0.0.1:10911"),
	}
	g.running.Go(func() { g.clients.serveClient(p, conn, false) })
	tb.Cleanup(func() {
		_ = client.Close()
		g.stop()
		g.running.Wait()
	})
	g.table.Topics.Ensure("orders").Ensure("broker-a", 4)
	q := g.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 3)
	q.SetLane(
		&lane.Lane{
			Topic:  "orders",
			Source: lane.Queue{Broker: "broker-a", ID: 3},
			Target: lane.Queue{Broker: "broker-t", ID: 1},
		},
	)
	return &passage{
		TB:      tb,
		gateway: g,
		client:  client,
		in:      wire.NewReader(client),
		queue:   q,
		view:    g.table.Groups.Get([]byte("billing")).Of(q),
		asked:   asked,
	}
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

func acceptAll(l net.Listener, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			serve(conn)
		}()
	}
}

// answerAll answers each request with the same frame, under the request's number.
func answerAll(conn net.Conn, template []byte, asked *atomic.Int64) {
	answer := bytes.Clone(template)
	at := opaqueAt(answer)
	in := wire.NewReader(conn)
	var f wire.Frame
	for in.Next(&f) == nil {
		// the gateway itself asks too, whether a broker that has lost a send answers
		if sends(f.Code) || isPull(f.Code) {
			asked.Add(1)
		}
		putNumber(answer[at:at+len(brokersOpaque)], int(f.Opaque))
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// opaqueAt is where the number lies in a template.
func opaqueAt(template []byte) int {
	const before = `"opaque":`
	return bytes.Index(template, []byte(before)) + len(before)
}

// brokersOpaque is a number as brokers get them.
var brokersOpaque = strconv.Itoa(lowestOpaque)

// asBroker is a template of a client's frame, or of an answer to it, as a broker has it.
func asBroker(header string) string {
	return strings.Replace(header, `"opaque":1000000`, `"opaque":`+brokersOpaque, 1)
}

// putOpaque writes a client's number over the template's.
func putOpaque(at []byte, n int) { putNumber(at[:7], n) }

// putNumber writes a number over another one that has as many digits.
func putNumber(at []byte, n int) {
	for i := len(at) - 1; i >= 0; i-- {
		at[i] = byte('0' + n%10)
		n /= 10
	}
}

// trips sends a request n times and reads the answers, with so many under way at a time.
func (p *passage) trips(n, together int, request []byte) {
	at := opaqueAt(request)
	var f wire.Frame
	for sent, got := 0, 0; got < n; {
		for sent < n && sent-got < together {
			putOpaque(request[at:], firstOpaque+sent%firstOpaque)
			sent++
			if _, err := p.client.Write(request); err != nil {
				p.Fatal(err)
			}
		}
		if err := p.in.Next(&f); err != nil {
			p.Fatal(err)
		}
		if want := firstOpaque + got%firstOpaque; f.Code != 0 || int(f.Opaque) != want {
			p.Fatalf("answer %d of request %d, not %d: %s", f.Code, f.Opaque, want, f.Remark)
		}
		got++
	}
}

// asks has the client pull or commit for a group, and returns the answer's code and the offset that
// it goes on with.
func (p *passage) asks(code int, group string, offset int64) (answer int, next int64) {
	p.Helper()
	_, err := p.client.Write(wire.AppendRequest(nil, code, 5, 0, []string{
		"consumerGroup", group, "topic", "orders", "queueId", "3", "queueOffset", fmt.Sprint(offset),
		"commitOffset", fmt.Sprint(offset), "sysFlag", "0",
	}, nil))
	require.NoError(p, err)
	require.NoError(p, p.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(p, p.in.Next(&f))
	next, _ = f.Number("nextBeginOffset")
	return f.Code, next
}

// next is that offset alone.
func (p *passage) next(code int, group string, offset int64) int64 {
	p.Helper()
	_, next := p.asks(code, group, offset)
	return next
}

// kind is a kind of frames that pass.
type kind struct {
	name, request, answer string
	body, answered        []byte
	away                  bool // home and side are on the target
}

func kinds() []kind {
	const sent = `{"code":310,"extFields":{"a":"producers","b":"orders","c":"TBW102","d":"4","e":"3","f":"0","g":"1700000000000","h":"0","i":"KEYS\u0001key-12\u0002UNIQ_KEY\u00017F00000100002A139A4100000001\u0002WAIT\u0001true\u0002","j":"0","k":"false","m":"false"},"flag":0,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	const stored = `{"code":0,"extFields":{"queueId":"1","msgId":"7F00000100002A9F000000000001E240","queueOffset":"123456","MSG_REGION":"DefaultRegion","TRACE_ON":"true"},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	const pulls = `{"code":11,"extFields":{"topic":"orders","queueId":"3","queueOffset":"123400","consumerGroup":"billing","maxMsgNums":"32","sysFlag":"3","commitOffset":"123390","suspendTimeoutMillis":"15000","subVersion":"0","expressionType":"TAG"},"flag":0,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	const found = `{"code":0,"extFields":{"suggestWhichBrokerId":"0","nextBeginOffset":"123432","minOffset":"0","maxOffset":"133456"},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	const commits = `{"code":15,"extFields":{"topic":"orders","queueId":"3","consumerGroup":"billing","commitOffset":"123390"},"flag":0,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	const fine = `{"code":0,"extFields":{},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	one, many := bytes.Repeat([]byte{'x'}, 1024), bytes.Repeat([]byte{'x'}, 32*1024)
	pulled := storedMessages(32, 1024)
	return []kind{
		{"send", sent, stored, one, nil, false},
		{"send to the target", sent, stored, one, nil, true},
		{"batch of 32", strings.Replace(sent, "310", "320", 1), stored, many, nil, false},
		{"pull of 32", pulls, found, nil, pulled, false},
		{"pull of 32 from the target", pulls, found, nil, pulled, true},
		{"commit", commits, fine, nil, nil, false},
		{"commit to the target", commits, fine, nil, nil, true},
	}
}

// storedMessages are messages as brokers return them.
func storedMessages(n, body int) (all []byte) {
	for i := range n {
		one := make([]byte, 91+body)
		binary.BigEndian.PutUint32(one, uint32(len(one)))
		binary.BigEndian.PutUint64(one[20:], uint64(123_400+i))
		all = append(all, one...)
	}
	return all
}

func headed(header string, body []byte) []byte {
	raw := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)+len(body)))
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(header)))
	return append(append(raw, header...), body...)
}

// passage is one for frames of this kind, with what is made once made.
func (k kind) passage(tb testing.TB) (p *passage, request []byte) {
	tb.Helper()
	p = newPassage(tb, k.answer, k.answered)
	if k.away {
		p.queue.SetHome(p.queue.At(), 1000)
		p.queue.SetHome(routing.Target, p.queue.Shift())
		p.view.Set(routing.ViewState{Side: routing.Target, Shift: [2]int64{routing.Target: 1000}})
	}
	request = headed(k.request, k.body)
	p.trips(1000, 16, request)
	return p, request
}

// What passes makes no garbage, changed or not: a gateway that does is stopped by it again and
// again.
func TestPassingMakesNoGarbage(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			p, request := k.passage(t)
			const trips, most = 2000, 0.05
			each := 1.0
			for try := 0; each > most && try < 5; try++ { // clients of tests before may still end, and allocate
				each = min(each, testing.AllocsPerRun(1, func() { p.trips(trips, 4, request) })/trips)
			}
			assert.Less(t, each, most, "allocations for each request with its answer")
		})
	}
}

// patternOf is a body that no other number has, of sizes below and above all limits.
func patternOf(opaque int) []byte {
	sizes := [...]int{0, 10, 1500, 3000, 7000, 8100, 9000, 40_000, 300_000}
	b := make([]byte, sizes[opaque%len(sizes)])
	for i := range b {
		b[i] = byte(opaque + i)
	}
	return b
}

// Frames of all sizes, several at a time, to both sides: none is torn, mixed up or lost in either
// direction.
func TestFramesOfAllSizesArriveWhole(t *testing.T) {
	k := kinds()[0]
	var torn, asked atomic.Int64
	p := newPassageTo(t, func(conn net.Conn) {
		in := wire.NewReader(conn)
		var f wire.Frame
		for in.Next(&f) == nil {
			asked.Add(1)
			n, _ := f.Number("g") // the client's own number of it
			if !bytes.Equal(f.Body, patternOf(int(n))) {
				torn.Add(1)
			}
			answer := headed(asBroker(k.answer), patternOf(int(n)+1))
			at := opaqueAt(answer)
			putNumber(answer[at:at+len(brokersOpaque)], int(f.Opaque))
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}, &asked)
	const requests = 600
	away := bytes.Replace([]byte(k.request), []byte(`"e":"3"`), []byte(`"e":"2"`), 1)
	q := p.gateway.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 2)
	q.SetLane(p.queue.Lane())
	q.SetHome(routing.Target, q.Shift())
	go func() {
		var burst []byte
		for n := range requests {
			header := k.request
			if n%3 == 0 {
				header = string(away)
			}
			header = strings.Replace(header, "1700000000000", strconv.Itoa(firstOpaque+n), 1)
			one := headed(header, patternOf(firstOpaque+n))
			putOpaque(one[opaqueAt(one):], firstOpaque+n)
			if burst = append(burst, one...); n%7 == 6 || n == requests-1 {
				if _, err := p.client.Write(burst); err != nil {
					return
				}
				burst = nil
			}
		}
	}()
	require.NoError(t, p.client.SetReadDeadline(time.Now().Add(patience)))
	got := map[int32]bool{}
	var f wire.Frame
	for range requests {
		require.NoError(t, p.in.Next(&f))
		assert.True(t, bytes.Equal(f.Body, patternOf(int(f.Opaque)+1)), "answer %d", f.Opaque)
		got[f.Opaque] = true
	}
	assert.Len(t, got, requests)
	assert.Zero(t, torn.Load(), "requests that are torn")
	assert.EqualValues(t, requests, asked.Load())
}

// What a client sent before it sends what is no frame reaches the broker, though it came in one
// piece.
func TestFramesThatCameTogetherReachTheBrokerBeforeTheConnectionEnds(t *testing.T) {
	k := kinds()[0]
	p, request := k.passage(t)
	before := p.asked.Load()
	_, err := p.client.Write(append(bytes.Repeat(request, 3), 0xff, 0xff, 0xff, 0xff))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.asked.Load() == before+3 }, patience, time.Millisecond,
		"three sends reach the broker")
}

// written is a connection that keeps what is written.
type written struct {
	net.Conn
	all []byte
}

func (w *written) Write(b []byte) (int, error) {
	w.all = append(w.all, b...)
	return len(b), nil
}

func (*written) SetWriteDeadline(time.Time) error { return nil }

func TestFramesThatComeTogetherGoOutTogetherInTheirOrder(t *testing.T) {
	frame := func(opaque int32, body int, more bool) *wire.Frame {
		var f wire.Frame
		require.NoError(
			t,
			f.Parse(
				wire.AppendRequest(nil, remoting.CodeSendV2, opaque, 0, []string{"e", "3"},
					bytes.Repeat([]byte{'x'}, body)),
			),
		)
		f.More = more
		return &f
	}
	bytesOf := func(frames ...*wire.Frame) (all string) {
		for _, f := range frames {
			all += string(f.AppendHead(nil)) + string(f.Body)
		}
		return all
	}
	one, changed, also, last := frame(1, 10, true), frame(2, 2000, true), frame(3, 0, true), frame(4, 20_000, false)
	changed.Set("e", "4")
	also.Set("e", "5")
	conn := &written{}
	w := connections.Writer{Conn: conn}
	for _, f := range []*wire.Frame{one, changed, also} {
		require.NoError(t, w.Frame(f))
	}
	assert.Empty(t, conn.all, "another one comes at once")
	require.NoError(t, w.Frame(last))
	want := bytesOf(one, changed, also, last)
	assert.Equal(t, want, string(conn.all))
	require.NoError(t, w.Frame(one))
	require.NoError(t, w.Bytes([]byte("own")))
	require.NoError(t, w.Frame(changed))
	require.NoError(t, w.Flush())
	require.NoError(t, w.Flush())
	assert.Equal(t, want+bytesOf(one)+"own"+bytesOf(changed), string(conn.all))
}

// keptPassages has passages keep their connections.
var keptPassages bool

// What is noted for the case that the gateway is killed costs no call of the system.
func BenchmarkPassingKept(b *testing.B) {
	keptPassages = true
	defer func() { keptPassages = false }()
	BenchmarkPassing(b)
}

func BenchmarkPassing(b *testing.B) {
	for _, k := range kinds() {
		for _, together := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", k.name, together), func(b *testing.B) {
				p, request := k.passage(b)
				b.ReportAllocs()
				b.ResetTimer()
				p.trips(b.N, together, request)
			})
		}
	}
}
