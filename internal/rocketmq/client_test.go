package rocketmq

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
)

// fakeServer answers each frame by a function; nil means no answer.
type fakeServer struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func serve(t *testing.T, answer func(conn net.Conn, c *remoting.Command)) *fakeServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &fakeServer{Listener: l}
	t.Cleanup(func() { _ = l.Close(); s.breakAll() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			go answerAll(conn, answer)
		}
	}()
	return s
}

func answerAll(conn net.Conn, answer func(conn net.Conn, c *remoting.Command)) {
	for {
		c, err := remoting.ReadFrame(conn)
		if err != nil {
			return
		}
		answer(conn, c)
	}
}

// inMemory is a way to a server that answers by a function, for tests whose time is synctest's.
func inMemory(
	t *testing.T,
	answer func(conn net.Conn, c *remoting.Command),
) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		here, there := net.Pipe()
		t.Cleanup(func() { _ = there.Close() })
		go answerAll(there, answer)
		return here, nil
	}
}

func (s *fakeServer) breakAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

func (s *fakeServer) accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func reply(conn net.Conn, to *remoting.Command, code int, fields map[string]string, body string) {
	frame, err := remoting.AppendFrame(
		nil,
		&remoting.Command{
			Code:   code,
			Opaque: to.Opaque,
			Flag:   remoting.FlagResponse,
			Fields: fields,
			Body:   []byte(body),
		},
	)
	if err == nil {
		_, _ = conn.Write(frame)
	}
}

func testClient(t *testing.T) *Client {
	t.Helper()
	c := NewClient(Options{CallTimeout: time.Minute})
	t.Cleanup(c.Close)
	return c
}

func TestAnswersFindTheirRequestsInAnyOrder(t *testing.T) {
	var mu sync.Mutex
	var waiting []*remoting.Command
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		mu.Lock()
		defer mu.Unlock()
		waiting = append(waiting, c)
		if len(waiting) < 50 {
			return
		}
		for i := len(waiting) - 1; i >= 0; i-- { // the last first
			reply(conn, waiting[i], remoting.Success, map[string]string{"offset": waiting[i].Fields["queueId"]}, "")
		}
		waiting = nil
	})
	client := testClient(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			got, err := client.MaxOffset(t.Context(), s.Addr().String(), "t", i)
			if err != nil || got != int64(i) {
				t.Errorf("call %d got %d, %v", i, got, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, s.accepted(), "one connection carries all")
}

func TestAServersOwnRequestIsDeclined(t *testing.T) {
	declined := make(chan *remoting.Command, 1)
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		if c.Response() {
			declined <- c
			return
		}
		frame, _ := remoting.AppendFrame(nil, &remoting.Command{Code: 40, Opaque: 99, Fields: map[string]string{}})
		_, _ = conn.Write(frame)
		reply(conn, c, remoting.Success, map[string]string{"offset": "1"}, "")
	})
	_, err := testClient(t).MaxOffset(t.Context(), s.Addr().String(), "t", 0)
	require.NoError(t, err)
	select {
	case c := <-declined:
		require.Equal(t, remoting.NotSupported, c.Code)
		require.Equal(t, int32(99), c.Opaque)
	case <-time.After(time.Minute):
		t.Fatal("the server's request was not answered")
	}
}

func TestALostConnectionIsAmbiguousAndTheNextCallDialsAgain(t *testing.T) {
	var answered atomic.Bool
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		if !answered.Swap(true) {
			_ = conn.Close()
			return
		}
		reply(conn, c, remoting.Success, map[string]string{"offset": "3"}, "")
	})
	client := testClient(t)
	_, err := client.MaxOffset(t.Context(), s.Addr().String(), "t", 0)
	require.True(t, remoting.Ambiguous(err), "%v", err)
	require.False(t, remoting.Retryable(err), "%v", err)
	var got int64
	require.NoError(t, remoting.RetryRead(t.Context(), func() (err error) {
		got, err = client.MaxOffset(t.Context(), s.Addr().String(), "t", 0)
		return err
	}))
	require.Equal(t, int64(3), got)
}

func TestASilentServerIsAmbiguousAndADeadOneRetryable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewClient(Options{CallTimeout: time.Hour, Dial: inMemory(t, func(net.Conn, *remoting.Command) {})})
		t.Cleanup(client.Close)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := client.MaxOffset(ctx, "server:1", "t", 0)
		require.True(t, remoting.Ambiguous(err), "%v", err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 50*time.Millisecond, time.Since(began))
	})

	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := gone.Addr().String()
	require.NoError(t, gone.Close())
	_, err = testClient(t).MaxOffset(t.Context(), addr, "t", 0)
	require.True(t, remoting.Retryable(err), "%v", err)
	require.True(t, remoting.Unreachable(err), "%v", err)
	require.False(t, remoting.Ambiguous(err), "%v", err)
}

func TestAWayThroughTheNetworkThatIsGoneIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first atomic.Value // connection that is answered no more
		dial := inMemory(t, func(conn net.Conn, c *remoting.Command) {
			if first.CompareAndSwap(nil, conn) || first.Load() != conn {
				reply(conn, c, remoting.Success, nil, "{}")
			}
		})
		dials := 0
		c := NewClient(
			Options{MaxSilence: 50 * time.Millisecond, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				dials++
				return dial(ctx, addr)
			}},
		)
		t.Cleanup(c.Close)
		call := func(patience time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := c.Call(ctx, "server:1", &remoting.Command{Code: remoting.CodeRuntime})
			return err
		}
		require.NoError(t, call(10*time.Second)) // its connection is the one that is answered no more
		began, calls := time.Now(), 0
		for call(5*time.Millisecond) != nil {
			calls++
			require.Less(t, calls, 100, "no call is answered again")
		}
		require.Equal(t, 2, dials)
		require.Equal(t, 11, calls,
			"the first whose answer is awaited for longer than the silence allowed is the last to fail")
		require.Equal(t, 55*time.Millisecond, time.Since(began), "a server that is merely slow is not left")
	})
}

func TestRefusalsNameServerCallCodeAndRemark(t *testing.T) {
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		frame, _ := remoting.AppendFrame(
			nil,
			&remoting.Command{
				Code:   remoting.NoPermission,
				Opaque: c.Opaque,
				Flag:   remoting.FlagResponse,
				Remark: "no right\n\tat java.lang.Thread",
				Fields: map[string]string{},
			},
		)
		_, _ = conn.Write(frame)
	})
	_, err := testClient(
		t,
	).SendBatch(t.Context(), s.Addr().String(), BatchRequest{Topic: "orders", Queue: 2, Messages: []BatchMessage{{}}})
	require.EqualError(t, err, s.Addr().String()+": SEND_BATCH_MESSAGE orders queue 2: code 16 NO_PERMISSION: no right")
	require.Equal(t, remoting.NoPermission, remoting.CodeOf(err))
	require.Equal(t, -1, remoting.CodeOf(errors.New("other")))
}

func TestOnlyWhatWasCertainlyNotExecutedIsRetried(t *testing.T) {
	for code, again := range map[int]bool{remoting.SystemBusy: true, remoting.FlowControl: true, remoting.GoAway: true, remoting.ServiceNotAvailable: true, remoting.SystemError: false, remoting.MessageIllegal: false, remoting.NoPermission: false} {
		require.Equal(t, again, remoting.Retryable(&remoting.Error{Code: code}), remoting.CodeName(code))
	}
	tries := 0
	err := remoting.Retry(t.Context(), func() error {
		if tries++; tries < 3 {
			return &remoting.Error{Code: remoting.SystemBusy}
		}
		return &remoting.Error{Code: remoting.MessageIllegal}
	})
	require.Equal(t, remoting.MessageIllegal, remoting.CodeOf(err))
	require.Equal(t, 3, tries)
}

func TestAPullReadsItsMessagesAndItsStatus(t *testing.T) {
	stored := remoting.Message{
		Topic: "orders", Queue: 3, QueueOffset: 7, PhysicalOffset: 4096, BornTimestamp: 1, StoreTimestamp: 2,
		BornHost: netip.MustParseAddrPort("127.0.0.1:10911"), StoreHost: netip.MustParseAddrPort("127.0.0.1:10911"),
		Body: []byte("hello"), Properties: []byte("KEYS\x01k\x02"),
	}
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		fields := map[string]string{"nextBeginOffset": "8", "minOffset": "0", "maxOffset": "9"}
		if c.Fields["queueOffset"] == "7" {
			reply(conn, c, remoting.Success, fields, string(remotingtest.Stored(stored)))
			return
		}
		reply(conn, c, remoting.PullOffsetMoved, fields, "")
	})
	client := testClient(t)
	got, err := client.Pull(t.Context(), s.Addr().String(), PullRequest{Topic: "orders", Offset: 7, Max: 32})
	require.NoError(t, err)
	require.Equal(t, PullFound, got.Status)
	require.Equal(t, "hello", string(got.Messages[0].Body))
	require.Equal(t, int64(9), got.Max)
	got, err = client.Pull(t.Context(), s.Addr().String(), PullRequest{Topic: "orders", Offset: 100})
	require.NoError(t, err)
	require.Equal(t, PullMovedOffset, got.Status)
}

func TestAMembersEmptyAccountIsAnError(t *testing.T) {
	s := serve(t, func(conn net.Conn, c *remoting.Command) { reply(conn, c, remoting.Success, nil, "") })
	_, err := testClient(t).ConsumerRunningInfo(t.Context(), s.Addr().String(), "g", "client")
	require.ErrorContains(t, err, "the member's answer is empty")
}

func TestAPendingResetIsNotTakenForAStoredPosition(t *testing.T) {
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		frame, _ := remoting.AppendFrame(
			nil,
			&remoting.Command{
				Code:   remoting.Success,
				Opaque: c.Opaque,
				Flag:   remoting.FlagResponse,
				Remark: "Offset has been previously reset",
				Fields: map[string]string{},
			},
		)
		_, _ = conn.Write(frame)
	})
	err := testClient(t).UpdateOffset(t.Context(), s.Addr().String(), "g", "t", 0, 5)
	require.ErrorContains(t, err, "reset of this position is pending")
}

func TestTheNextNameServerAnswersWhenOneIsDown(t *testing.T) {
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		switch c.Code {
		case remoting.CodeClusterInfo:
			reply(conn, c, remoting.Success, nil,
				`{"brokerAddrTable":{"b":{"brokerAddrs":{0:"`+c.Fields["x"]+conn.LocalAddr().
					String()+
					`",1:"slave:1"},"brokerName":"b","cluster":"C"}},"clusterAddrTable":{"C":["b"]}}`)
		case remoting.CodeRuntime:
			reply(conn, c, remoting.Success, nil, `{"table":{"brokerVersionDesc":"V4_9_7"}}`)
		}
	})
	down, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, down.Close())
	cluster := NewCluster(testClient(t), []string{down.Addr().String(), s.Addr().String()})
	got, err := cluster.Brokers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Broker{{Cluster: "C", Name: "b", Addr: s.Addr().String(), Version: "4.9.7"}}, got)
	_, err = cluster.Broker(t.Context(), "nobody")
	require.True(t, remoting.Retryable(err), "%v", err)
	require.ErrorContains(t, err, "nobody")
	require.NoError(t, s.Close())
	s.breakAll()
	cluster.Forget()
	last, err := cluster.Brokers(t.Context())
	require.NoError(t, err, "with all name servers gone the last list stands")
	require.Equal(t, got, last)
}

func TestOnlyOneCallWaitsForAFrozenNameServer(t *testing.T) {
	frozen := make(chan struct{})
	asked := make(chan struct{}, 10)
	var once atomic.Bool
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		switch {
		case c.Code == remoting.CodeRuntime:
			reply(conn, c, remoting.Success, nil, `{"table":{"brokerVersionDesc":"V4_9_7"}}`)
		case once.CompareAndSwap(false, true):
			reply(conn, c, remoting.Success, nil,
				`{"brokerAddrTable":{"b":{"brokerAddrs":{0:"`+conn.LocalAddr().
					String()+
					`"},"brokerName":"b","cluster":"C"}},"clusterAddrTable":{"C":["b"]}}`)
		default:
			asked <- struct{}{}
			<-frozen
		}
	})
	t.Cleanup(func() { close(frozen) })
	cluster := NewCluster(testClient(t), []string{s.Addr().String()})
	got, err := cluster.Brokers(t.Context())
	require.NoError(t, err)
	cluster.Forget()
	reading, stop := context.WithCancel(t.Context())
	var waits sync.WaitGroup
	waits.Go(func() { _, _ = cluster.Brokers(reading) })
	<-asked
	for range 3 {
		last, err := cluster.Brokers(t.Context()) // waits for nobody, or this test never ends
		require.NoError(t, err)
		require.Equal(t, got, last)
	}
	require.Empty(t, asked, "one call asks, the others take the last list")
	stop()
	waits.Wait()
}

func TestCallsWaitForTheirTurnWithoutLosingTheirTime(t *testing.T) {
	server := serve(t, func(conn net.Conn, c *remoting.Command) { reply(conn, c, remoting.Success, nil, "") })
	c := NewClient(Options{Limit: rate.NewLimiter(50, 1), CallTimeout: time.Second})
	t.Cleanup(c.Close)
	began := time.Now()
	var calls sync.WaitGroup
	for range 11 {
		calls.Go(func() {
			_, err := c.Call(t.Context(), server.Addr().String(), &remoting.Command{Code: remoting.CodeRuntime})
			assert.NoError(t, err)
		})
	}
	calls.Wait()
	require.GreaterOrEqual(t, time.Since(began), 190*time.Millisecond, "10 more at 50 a second")

	soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := c.Call(soon, server.Addr().String(), &remoting.Command{Code: remoting.CodeRuntime})
	require.Error(t, err)
	require.False(t, remoting.Ambiguous(err), "it was never sent")
}
