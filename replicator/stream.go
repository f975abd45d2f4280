package replicator

import (
	"cmp"
	"context"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/replica"
)

// sent is the answer to a send.
type sent struct {
	result rocketmq.SendResult
	err    error
}

// stream copies what a queue holds. Several pulls are in flight, and one batch, so that copies keep
// the order of their originals. It belongs to the copying loop.
type stream struct {
	loop    *copyLoop
	lane    *laneWorker
	reads   reads
	ready   []replica.Message // read, not sent
	backing []replica.Message // the memory that ready lies in
	bytes   int               // of ready
	held    []held            // memory of what is ready or in flight
	broken  error             // why nothing more can be read
	sending chan sent
	flight  flight
}

// held is the memory of messages up to, not including, an offset.
type held struct {
	to     int64
	memory rocketmq.PullResult
}

// flight is a batch on its way.
type flight struct {
	from, to int64 // source offsets
	newest   int64 // of the last copy
	copies   int64
	bytes    int64
	stored   int64 // store time of the last message, in milliseconds
	begun    time.Time
}

// stream copies these messages and those that follow, until the lane has caught up.
func (c *copyLoop) stream(ctx context.Context, messages []replica.Message, memory rocketmq.PullResult) (err error) {
	s := &stream{loop: c, lane: c.lane, reads: reads{lane: c.lane, depth: 1}}
	defer func() {
		if len(s.ready) > 0 || err != nil {
			clear(c.origins.newest) // the messages will be judged again
		}
		s.forget()
	}()
	c.lane.memory.Take(memory.Size())
	if err := s.add(ctx, messages, memory); err != nil {
		return err
	}
	s.reads.next = c.lane.state.snapshot().next + int64(len(messages))
	if n := len(messages); n > 0 && s.reads.next < c.lane.state.snapshot().readable() {
		s.reads.stride, s.reads.depth = n, 2
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	err = s.run(ctx, reading)
	if s.sending != nil {
		if late := s.landed(<-s.sending); err == nil || late != nil {
			err = late
		}
	}
	return err
}

func (s *stream) run(ctx, reading context.Context) error {
	for {
		if s.broken == nil && s.bytes < 4*s.loop.batcher.bytes {
			s.reads.fill(reading, len(s.ready) == 0 && s.sending == nil)
		}
		for s.due() && s.loop.ready && ctx.Err() == nil {
			if err := s.send(ctx); err != nil {
				return err
			}
		}
		if s.sending == nil && (len(s.reads.flying) == 0 || !s.loop.ready) {
			return s.broken
		}
		select {
		case answer := <-s.reads.oldest():
			messages, err := s.reads.take(answer)
			if err != nil { // messages that were read before it are copied first
				s.broken = err
				s.reads.abandon()
			}
			if err := s.add(reading, messages, answer.Result); err != nil {
				return err
			}
		case answer := <-s.sending:
			if err := s.landed(answer); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *stream) add(ctx context.Context, messages []replica.Message, memory rocketmq.PullResult) error {
	if len(messages) == 0 {
		s.lane.memory.Give(memory.Size())
		return nil
	}
	s.held = append(s.held, held{messages[len(messages)-1].Position + 1, memory})
	now := time.Now()
	for i := range messages {
		if err := s.loop.judge(ctx, &messages[i], now); err != nil {
			return err
		}
	}
	for _, m := range messages {
		s.bytes += len(m.Body) + len(m.Properties)
	}
	s.append(messages)
	return nil
}

// append adds messages to those that are ready. It uses the memory of sent ones again before it
// takes more.
func (s *stream) append(messages []replica.Message) {
	if cap(s.ready)-len(s.ready) < len(messages) {
		s.ready = append(s.backing[:0], s.ready...)
	}
	s.ready = append(s.ready, messages...)
	if cap(s.ready) > cap(s.backing) {
		s.backing = s.ready
	}
}

// due reports whether a batch must be sent now: a full one, or all that there is.
func (s *stream) due() bool {
	full := len(s.ready) >= s.lane.options.BatchMessages || s.bytes >= s.loop.batcher.bytes
	return s.sending == nil && len(s.ready) > 0 && (full || len(s.reads.flying) == 0)
}

// send starts to send a batch, or skips messages that aren't copied.
func (s *stream) send(ctx context.Context) error {
	batch, taken, newest, err := s.loop.batcher.cut(&s.loop.stamps, s.ready, s.caughtUp())
	if err != nil {
		return err
	}
	size := 0
	for _, m := range batch.Messages {
		size += m.Size()
	}
	if err := s.loop.pace(ctx, len(batch.Messages), size); err != nil {
		return err
	}
	s.flight = flight{
		bytes:  int64(size),
		stored: s.ready[taken-1].StoreTimestamp,
		from:   s.ready[0].Position,
		to:     s.ready[taken-1].Position + 1,
		newest: newest,
		copies: int64(len(batch.Messages)),
		begun:  time.Now(),
	}
	if len(batch.Messages) == 0 {
		s.drop(taken)
		s.lane.state.change(func(now *laneState) { now.next, now.end = s.flight.to, max(now.end, s.flight.to) })
		s.release()
		return nil
	}
	if err := s.loop.holdToSend(ctx); err != nil || !s.loop.ready { // the lock may have been lost in between
		return err
	}
	s.drop(taken)
	s.sending = make(chan sent, 1)
	s.lane.shown.sends.begin()
	sending := delivery{s.lane, s.loop.stamps, s.loop.batcher.single}
	go func() { s.sending <- sending.send(ctx, batch, newest) }()
	return nil
}

// caughtUp reports whether the ready messages are few and all that the queue holds: then a batch
// for each born time costs nothing.
func (s *stream) caughtUp() bool {
	last := s.ready[len(s.ready)-1].Position
	return len(s.ready) <= 32 && last+1 >= s.lane.state.snapshot().end
}

// pace holds the lane back to the rates that are set, and to what the brokers can bear.
func (c *copyLoop) pace(ctx context.Context, messages, bytes int) error {
	l := c.lane
	source, target := l.ends()
	_, strain := l.health.Share(source, target)
	reason := cmp.Or(strain, l.pacer.Slowed(l.Topic))
	if shown := cmp.Or(reason, c.batcher.learnt()); shown != l.state.snapshot().slowed {
		l.state.change(func(s *laneState) { s.slowed = shown })
	}
	if reason == "" {
		return nil
	}
	if pause := l.health.Pause(c.took, source, target); pause > 0 {
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
	return l.pacer.Wait(ctx, l.Topic, messages, bytes)
}

// landed processes the answer to the batch in flight.
func (s *stream) landed(answer sent) error {
	f := s.flight
	s.sending = nil
	defer s.lane.shown.sends.end() // after the reverse lane has learnt of it
	s.loop.took = time.Since(f.begun)
	if answer.err != nil {
		_, target := s.lane.ends()
		s.lane.refusedAsBusy(target, answer.err)
		err := sendFault(s.lane.Lane, answer.err, f.from, f.to)
		if s.loop.batcher.tryAlone(answer.err) {
			return unsure{answer.err}
		}
		if refused(err) && f.copies > 1 {
			s.loop.batcher.narrow = f.to // one of them is refused: to find it they are sent singly
			return unsure{answer.err}
		}
		return err
	}
	s.loop.batcher.learnAlone()
	stored := answer.result.Offset
	if tail := s.lane.state.snapshot().tail; stored < tail {
		return s.lane.targetFell(f.from, stored, tail)
	}
	s.loop.sure = f.begun
	s.lane.state.change(func(now *laneState) {
		now.next, now.tail, now.copied = f.to, stored+f.copies, now.copied+f.copies
		now.bytes, now.batches, now.stored = now.bytes+f.bytes, now.batches+1, f.stored
		now.sending += time.Since(f.begun)
		now.end = max(now.end, now.next)
	})
	s.release()
	if s.lane.reverse != nil {
		s.lane.reverse.state.learn(written{stored, stored + f.copies, f.newest, s.loop.stamps.Origin})
	}
	return nil
}

// drop removes sent messages from ready.
func (s *stream) drop(taken int) {
	for _, m := range s.ready[:taken] {
		s.bytes -= len(m.Body) + len(m.Properties)
	}
	s.ready = s.ready[taken:]
}

// release gives back the memory of copied messages.
func (s *stream) release() {
	for next := s.lane.state.snapshot().next; len(s.held) > 0 && s.held[0].to <= next; s.held = s.held[1:] {
		s.lane.memory.Give(s.held[0].memory.Size())
		s.held[0].memory.Release()
	}
}

// forget gives back the memory of all messages that a stream leaves at its end.
func (s *stream) forget() {
	s.reads.abandon()
	for _, h := range s.held {
		s.lane.memory.Give(h.memory.Size())
	}
	s.held = nil
}
