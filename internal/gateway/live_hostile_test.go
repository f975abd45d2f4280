package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// hostile are connections that mean no good.
type hostile struct {
	*testing.T
	addr string

	mu    sync.Mutex
	conns []net.Conn
}

// open opens a connection that stays open as long as the gateway lets it.
func (h *hostile) open() net.Conn {
	conn, err := net.DialTimeout("tcp", h.addr, patience)
	if err != nil {
		h.Errorf("the gateway doesn't take connections: %v", err)
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, conn)
	return conn
}

// write sends bytes; that the gateway has closed the connection is no fault.
func (h *hostile) write(raw []byte) {
	if conn := h.open(); conn != nil {
		_ = conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, _ = conn.Write(raw)
	}
}

func (h *hostile) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.conns {
		_ = conn.Close()
	}
}

// ended is how many of the connections the gateway has closed.
func (h *hostile) ended() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	var n atomic.Int64
	var all errgroup.Group
	all.SetLimit(500)
	for _, conn := range h.conns {
		all.Go(func() error {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := io.Copy(io.Discard, conn); !errors.Is(err, os.ErrDeadlineExceeded) {
				n.Add(1)
			}
			return nil
		})
	}
	_ = all.Wait()
	return int(n.Load())
}

// mutated is a frame with a few bytes changed, none of a code that does anything to a broker.
func mutated(random *rand.Rand) []byte {
	codes := []int{
		remoting.CodeSend,
		remoting.CodeSendV2,
		remoting.CodePull,
		remoting.CodeHeartbeat,
		remoting.CodeRoute,
		remoting.CodeQueryOffset,
	}
	raw := wire.AppendRequest(nil, codes[random.IntN(len(codes))], random.Int32(), 0,
		[]string{"topic", "no-such-topic", "b", "no-such-topic", "queueId", "0", "consumerGroup", "nobody"},
		[]byte(`{"clientID":"x"}`))
	const head = 4 // the length stays, so that the whole frame is read
	for range random.IntN(20) {
		raw[head+random.IntN(len(raw)-head)] = byte(random.Uint32())
	}
	return raw
}

// resident is how much memory a process takes, in MB.
func resident(t *testing.T, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "VmRSS:")
	require.True(t, found)
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kb >> 10
}

// Thousands of connections that say nothing, frames that don't end, that announce 2 GB, or that are
// none; wrong tokens and replayed moves: clients don't notice, new ones still come in, groups and
// homes move, and the gateway's memory stays small.
func TestLiveHostileConnectionsHarmNobody(t *testing.T) {
	t.Parallel()
	silent := 10_000
	if most := connections.Descriptors(); most > 0 {
		silent = min(silent, most/2) // this process has the other ends
	}
	r := newRig(t, "hostile")
	orders, billing := r.topic("orders", 2), r.group("billing")
	r.replicate()
	r.config.Token = testToken
	g := r.spawn(opensMost + "=" + strconv.Itoa(silent*3/4))
	g.use(r)
	read := r.consume(billing, orders, 1, true)
	r.warmUp(orders, read)
	r.control()
	early := r.produce(orders, "before", 8, 20*time.Millisecond)
	before := resident(t, g.Process.Pid)

	h := &hostile{T: t, addr: g.names}
	defer h.close()
	var all sync.WaitGroup
	all.Go(func() {
		for range silent {
			h.open()
		}
	})
	all.Go(func() {
		random := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			raw := make([]byte, random.IntN(4096))
			for i := range raw {
				raw[i] = byte(random.Uint32())
			}
			h.write(raw)
			raw = mutated(random)
			h.write(raw)
			h.write(raw[:random.IntN(len(raw))])
			huge := binary.BigEndian.AppendUint32(nil, 1<<31-1-uint32(random.IntN(1000)))
			h.write(append(huge, raw...))
			h.write(append(binary.BigEndian.AppendUint32(nil, wire.MaxFrame-longestGrowth), raw...))
		}
	})
	all.Go(func() { r.guessTokens(g, 500) })
	all.Wait()
	ended := 0
	r.await("those that wait longest go for others", func() string { // the last ones may not have been accepted yet
		if ended = h.ended(); ended >= silent/4 {
			return ""
		}
		return fmt.Sprintf("%d of %d have ended", ended, silent)
	})
	t.Logf("%d MB before, %d MB with %d connections, %d of which were ended", before,
		resident(t, g.Process.Pid), len(h.conns), ended)
	assert.Less(t, resident(t, g.Process.Pid), before+250, "MB")

	late := r.produce(orders, "late", 4, 20*time.Millisecond)
	for round := range 2 {
		to := []string{"target", "source"}[round]
		for _, m := range []control.Move{{Kind: control.KindSide, Groups: []string{billing}}, {Kind: control.KindHome, Topics: []string{orders}}} {
			m.To, m.ID = to, fmt.Sprint("hostile-", round, m.Kind)
			was := g.moves(r, m)
			m.ID = was.ID
			again := untilAnswered(r, "the same move is asked for again",
				func() (control.Moved, error) { return g.client.Move(r.ctx, m) })
			assert.Equal(t, was, again, "a move that is asked for again has no effect")
			m.ID, m.Epoch = "stale-"+m.ID, new(int64)
			*m.Epoch = was.Epoch - 1
			r.await("a move of an epoch that is over is refused", func() string {
				_, err := g.client.Move(r.ctx, m)
				if err != nil && strings.Contains(err.Error(), "look at the state again") {
					return ""
				}
				require.Error(t, err)
				return err.Error()
			})
		}
		r.untilMore(100, late)
	}
	early.end()
	late.end()
	for _, l := range []*load{early, late} {
		read.untilRead(l)
		r.sentWell(read, l)
		assert.Equal(t, verdict{}, read.judge(l))
	}
	t.Logf("%s; %s; %d MB at the end", early, late, resident(t, g.Process.Pid))
}

// guessTokens calls the control API with wrong tokens.
func (r *rig) guessTokens(g *gatewayProcess, times int) {
	for i := range times {
		request, err := http.NewRequestWithContext(r.ctx, http.MethodPost, "http://"+g.control+"/v1/moves",
			strings.NewReader(`{"id":"x","kind":"home","to":"target","topics":["gateway-hostile-orders"]}`))
		if !assert.NoError(r, err) {
			return
		}
		request.Header.Set("Authorization", "Bearer "+testToken[:i%len(testToken)])
		answer, err := http.DefaultClient.Do(request)
		if !assert.NoError(r, err) {
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		assert.Equal(r, http.StatusUnauthorized, answer.StatusCode)
	}
}
