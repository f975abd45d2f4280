package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/wire"
)

// A siege is many connections from other addresses that do the worst that is known of each kind.
// Each of them begins anew when the gateway has closed it.
type siege struct {
	broker, names string // the gateway's ports
	opening       pacer  // of connections
	batches       pacer  // of pulls

	open, opened, closed, failed atomic.Int64
	all                          sync.WaitGroup
}

// pacer lets so many go in a second.
type pacer chan struct{}

// paced makes one; of zero, everything goes at once.
func paced(ctx context.Context, perSecond int) pacer {
	p := make(pacer)
	if perSecond == 0 {
		close(p)
		return p
	}
	go func() {
		for tick := time.NewTicker(time.Second / time.Duration(perSecond)); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			select {
			case p <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	return p
}

// wait waits until one more may go.
func (p pacer) wait(ctx context.Context) bool {
	select {
	case <-p:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

const (
	// enemies is how many addresses the connections come from, 127.0.0.2 and those behind it.
	enemies = 50
	// pullsOfBatch is how many pulls are written at once, and batches how many times that in a
	// second. With 500 at once brokers serve nobody else for 25 ms, whoever brings them.
	pullsOfBatch = 20
	batches      = 100
	mostPulls    = 100_000
	largeTopic   = "bench-gateway-large"
	largeBody    = 3_900_000 // of a message: brokers take 4 MiB
)

// lay lays siege with n connections, so many a second; 0 is as fast as it goes. With frames those
// that would ask brokers for messages are silent. It ends with the context.
func lay(ctx context.Context, names, broker string, n, pace int, frames bool) *siege {
	s := &siege{names: names, broker: broker, opening: paced(ctx, pace), batches: paced(ctx, batches)}
	for i := range n {
		kind := evils[0]
		for k, at := 0, i%100; k < len(evils); k++ {
			if at -= evils[k].share; at < 0 {
				if kind = evils[k]; kind.asks && frames {
					kind = evils[0]
				}
				break
			}
		}
		s.all.Go(func() { s.attack(ctx, i, kind) })
	}
	return s
}

// attack opens one connection after the other.
func (s *siege) attack(ctx context.Context, i int, kind evil) {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/100%enemies))}
	for s.opening.wait(ctx) {
		to := s.broker
		if kind.name == "silent" && i%2 == 0 {
			to = s.names
		}
		conn, err := (&net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}).DialContext(ctx, "tcp", to)
		if err != nil {
			s.failed.Add(1)
			_ = pause(ctx, time.Second) // out of ports or descriptors
			continue
		}
		s.opened.Add(1)
		s.open.Add(1)
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		_ = kind.do(ctx, s, conn)
		stop()
		_ = conn.Close()
		s.open.Add(-1)
		if ctx.Err() == nil {
			s.closed.Add(1)
		}
	}
}

// stay reads until the connection is closed.
func stay(conn net.Conn) error {
	_, err := io.Copy(io.Discard, conn)
	return err
}

var headerOf128 = sync.OnceValue(func() []byte {
	fields := []string{"b", "nothing"}
	for i := range wire.MaxFields - 1 {
		fields = append(fields, fmt.Sprint("field-", i), strings.Repeat("x", 2000))
	}
	return wire.AppendRequest(nil, 310, 1, 0, fields, nil)
})

func longHeader(_ context.Context, _ *siege, conn net.Conn) error {
	if _, err := conn.Write(headerOf128()); err != nil {
		return err
	}
	return stay(conn)
}

// begunFrame announces 16 MiB, sends 64 KiB, and then a byte each second.
func begunFrame(ctx context.Context, _ *siege, conn net.Conn) error {
	raw := wire.AppendRequest(nil, 310, 1, 0, []string{"b", topic, "e", "0"}, make([]byte, 64<<10))
	binary.BigEndian.PutUint32(raw, wire.MaxFrame-2*wire.MaxHeader) // as long as is taken
	_, err := conn.Write(raw)
	for err == nil && pause(ctx, time.Second) == nil {
		_, err = conn.Write([]byte{'x'})
	}
	return err
}

// idle speaks once, for itself, and stays.
func idle(_ context.Context, s *siege, conn net.Conn) error {
	return speak(conn, fmt.Sprint("hostile-", s.opened.Load()))
}

// join becomes one more member of a group: the broker tells all others, so n of them make it send
// n² / 2 notifications.
func join(_ context.Context, _ *siege, conn net.Conn) error { return speak(conn, "hostile") }

func speak(conn net.Conn, name string) error {
	if _, err := conn.Write(wire.AppendRequest(nil, 34, 1, 0, nil, heartbeat(name, name))); err != nil {
		return err
	}
	return stay(conn)
}

// largeBeats are heartbeats of which each is the worst of its kind: one of nearly 4 MiB that is
// kept, one of as many memberships as are read, one of as many members that nobody knows, in one
// object and in many, and one of nothing but escapes.
var largeBeats = sync.OnceValue(func() (all [][]byte) {
	const room, elements = 4<<20 - 300, 249_990
	odd := func(n int, between string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"%x":1%s`, i, between)
		}
		return b.String() + `"last":1`
	}
	for _, body := range []string{
		`{"clientID":"x","consumerDataSet":[{"groupName":"x","subscriptionDataSet":[{"topic":"x","subString":"` +
			strings.Repeat("x", room) + `"}]}]}`,
		`{"clientID":"x","consumerDataSet":[` + strings.Repeat(`{"groupName":"g"},`, elements/2-10) + `{"groupName":"g"}]}`,
		`{"clientID":"x","x":{` + odd(elements-10, ",") + `}}`,
		`{"clientID":"x","x":[{` + odd(elements/3, `},{`) + `}]}`,
		`{"clientID":"x","x":"` + strings.Repeat(`\u0041`, room/6) + `"}`,
	} {
		all = append(all, wire.AppendRequest(nil, 34, 1, 0, nil, []byte(body)))
	}
	return all
})

func largeBeat(_ context.Context, s *siege, conn net.Conn) error {
	all := largeBeats()
	if _, err := conn.Write(all[s.opened.Load()%int64(len(all))]); err != nil {
		return err
	}
	return stay(conn)
}

// oddHeaders are headers as long as may be that aren't plain: of members that nobody knows, of one
// field again and again, and of fields that are null.
var oddHeaders = sync.OnceValue(func() (all [][]byte) {
	const room = wire.MaxHeader - 1000
	many := func(member func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < room; i++ {
			b.WriteString(member(i))
		}
		return b.String()
	}
	const begin = `{"code":310,"flag":0,"opaque":1,"extFields":{"b":"nothing"`
	for _, head := range []string{
		begin + `}` + many(func(i int) string { return fmt.Sprintf(`,"%x":1`, i) }) + `}`,
		begin + many(func(int) string { return `,"b":"x"` }) + `}}`,
		begin + many(func(int) string { return `,"b":null` }) + `}}`,
	} {
		raw := binary.BigEndian.AppendUint32(nil, uint32(4+len(head)))
		raw = binary.BigEndian.AppendUint32(raw, uint32(len(head)))
		all = append(all, append(raw, head...))
	}
	return all
})

// oddHeader sends such headers; the gateway closes the connection for one.
func oddHeader(ctx context.Context, s *siege, conn net.Conn) error {
	all := oddHeaders()
	if _, err := conn.Write(all[s.opened.Load()%int64(len(all))]); err != nil {
		return err
	}
	return errors.Join(stay(conn), pause(ctx, time.Second)) // or it would be all that the siege does
}

// longName says a client id of nearly 4 MiB, which is refused, and stays.
func longName(_ context.Context, _ *siege, conn net.Conn) error {
	body := fmt.Appendf(nil, `{"clientID":"%s","producerDataSet":[{"groupName":"x"}]}`, strings.Repeat("x", 3900<<10))
	if _, err := conn.Write(wire.AppendRequest(nil, 34, 1, 0, nil, body)); err != nil {
		return err
	}
	return stay(conn)
}

func pullOf(topic string, opaque int32) []byte {
	return wire.AppendRequest(nil, 11, opaque, 0, []string{
		"consumerGroup", "bench-gateway-hostile", "topic", topic, "queueId", "0", "queueOffset", "0",
		"maxMsgNums", "32", "sysFlag", "6", "commitOffset", "0", "suspendTimeoutMillis", "30000",
		"subscription", "*", "subVersion", "0", "expressionType", "TAG",
	}, nil)
}

// openPulls asks for what isn't there, again and again, and doesn't read.
func openPulls(ctx context.Context, s *siege, conn net.Conn) error {
	for n := int32(0); n < mostPulls && s.batches.wait(ctx); {
		var raw []byte
		for range pullsOfBatch {
			n++
			raw = append(raw, pullOf(emptyTopic, n)...)
		}
		if _, err := conn.Write(raw); err != nil {
			return err
		}
	}
	return linger(ctx, conn)
}

const emptyTopic = "bench-gateway-empty"

// largeAnswers asks for messages of nearly 4 MiB, and doesn't read.
func largeAnswers(ctx context.Context, _ *siege, conn net.Conn) error {
	for n := range int32(4) {
		if _, err := conn.Write(pullOf(largeTopic, n)); err != nil {
			return err
		}
	}
	return linger(ctx, conn)
}

// linger waits until the connection is closed, without reading: who writes there is told.
func linger(ctx context.Context, conn net.Conn) error {
	for pause(ctx, time.Second) == nil {
		if _, err := conn.Write(wire.AppendRequest(nil, 11, 1<<30, wire.FlagOneWay, []string{"topic", emptyTopic}, nil)); err != nil {
			return err
		}
	}
	return ctx.Err()
}
