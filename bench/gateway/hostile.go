package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
)

// besieged is what clients and the gateway notice in one phase.
type besieged struct {
	Phase   string `json:"phase"`
	Seconds int    `json:"seconds"`

	LimitMB  int     `json:"limitMB"`  // of the gateway's memory
	MemoryMB float64 `json:"memoryMB"` // resident, the most that was seen in the phase

	// Straight is what the same clients notice that go straight to the same broker at the same
	// time: what the machine and the broker add.
	Straight noticed `json:"straight"`
	noticed
	Open   int64 `json:"open"`   // hostile connections, at the end
	Opened int64 `json:"opened"` // in the phase
	Closed int64 `json:"closed"` // of these by the gateway
	Failed int64 `json:"failed"` // dials

	CPUPercent  float64 `json:"cpuPercent"`  // of one processor, for the gateway
	IdlePercent float64 `json:"idlePercent"` // of the machine

	Bounds control.Bounds `json:"bounds"`
}

// noticed is what a stock producer and a stock consumer that mean well notice.
type noticed struct {
	Sends      int     `json:"sends"`
	Errors     int     `json:"errors"`
	SendP50Ms  float64 `json:"sendP50Ms"`
	SendP99Ms  float64 `json:"sendP99Ms"`
	Deliveries int     `json:"deliveries"`
	ReadP50Ms  float64 `json:"readP50Ms"` // from before the send
	ReadP99Ms  float64 `json:"readP99Ms"`
}

// usualRate is how many messages a second the client that means well sends: so few that the
// processors have time for everybody.
const usualRate = 200

// measureHostile measures before, during and after a siege, and while one comes as fast as it can.
func (c *course) measureHostile(ctx context.Context, result *json.Encoder) error {
	for _, group := range []string{goodGroup, straightGroup} {
		if err := c.makeGroup(ctx, group); err != nil {
			return err
		}
	}
	broker, err := c.prepareSiege(ctx)
	if err != nil {
		return err
	}
	if c.rate == 0 {
		c.rate = usualRate
	}
	f, err := c.startFlow(ctx, goodGroup, topic)
	if err != nil {
		return err
	}
	straight, err := c.startFlowAt(ctx, strings.Join(c.source.NameServers, ";"), straightGroup, 0, straightTopic)
	if err != nil {
		return errors.Join(err, f.end())
	}
	if c.yields {
		if err := yield(); err != nil {
			return errors.Join(err, f.end(), straight.end())
		}
	}
	measure := time.Duration(c.measure) * time.Second
	phase := func(name string, s *siege, length time.Duration) error {
		m, err := c.phase(ctx, [2]*flow{f, straight}, s, name, length)
		return errors.Join(err, result.Encode(m))
	}
	attacked := func(name string, pace int, lengths ...time.Duration) error {
		ctx, stop := context.WithCancel(ctx)
		s := lay(ctx, c.gateway.names, broker, c.enemy, pace, c.frames)
		var errs []error
		for i, length := range lengths {
			errs = append(errs, phase([]string{name, "all are there"}[i], s, length))
		}
		stop()
		s.all.Wait()
		return errors.Join(errs...)
	}
	ramp := time.Duration(c.enemy/c.pace+5) * time.Second
	err = errors.Join(phase("before", nil, measure), attacked("they come", c.pace, ramp, measure),
		c.untilCalm(ctx), phase("after", nil, measure))
	if c.full > 0 {
		err = errors.Join(err, attacked("as fast as they can", 0, c.full), c.untilCalm(ctx),
			phase("after that", nil, measure))
	}
	return errors.Join(err, f.end(), straight.end())
}

// Topic and groups of the clients that mean well.
const (
	goodGroup     = "bench-gateway-good"
	straightGroup = "bench-gateway-straight"
	straightTopic = "bench-gateway-straight"
)

const (
	// calm is how long everything may take to end: the gateway lets servers end their connections
	// for 3 s.
	calm = 5 * time.Second
	// calmAtLast is how long memory may stay held for answers that servers still send to clients
	// that have gone: 13 s.
	calmAtLast = 15 * time.Second
	// littleHeld is what clients that mean well hold at most, in bytes.
	littleHeld = 1 << 20
)

// untilCalm waits until nothing of a siege is left, or until it should be: then the next phase
// shows it.
func (c *course) untilCalm(ctx context.Context) error {
	if err := pause(ctx, calm); err != nil {
		return err
	}
	for end := time.Now().Add(calmAtLast); ; {
		state, err := c.gateway.control.State(ctx)
		if err != nil || state.Memory.Held < littleHeld || time.Now().After(end) {
			return err
		}
		if err := pause(ctx, calm/10); err != nil {
			return err
		}
	}
}

// prepareSiege makes what is asked for, and returns the gateway's port that stands for the broker.
func (c *course) prepareSiege(ctx context.Context) (string, error) {
	for name, n := range map[string]int{largeTopic: 1, emptyTopic: 1, straightTopic: queues} {
		if err := c.makeTopic(ctx, name, n); err != nil {
			return "", err
		}
	}
	if err := c.makeGroup(ctx, "bench-gateway-hostile"); err != nil {
		return "", err
	}
	straight, err := dial(ctx, c.source.Brokers[0].Addr)
	if err != nil {
		return "", err
	}
	defer straight.conn.Close()
	fields := []string{
		"a",
		"bench",
		"b",
		largeTopic,
		"c",
		"TBW102",
		"d",
		"1",
		"e",
		"0",
		"f",
		"0",
		"g",
		"1700000000000",
		"h",
		"0",
		"i",
		"",
		"j",
		"0",
		"k",
		"false",
		"m",
		"false",
	}
	for range 8 {
		if _, err := straight.call(310, fields, make([]byte, largeBody)); err != nil {
			return "", err
		}
	}
	names, err := dial(ctx, c.gateway.names)
	if err != nil {
		return "", err
	}
	defer names.conn.Close()
	route, err := names.call(105, []string{"topic", topic}, nil)
	return brokerIn(route), err
}

// phase watches for a while.
func (c *course) phase(
	ctx context.Context,
	flows [2]*flow,
	s *siege,
	name string,
	length time.Duration,
) (m besieged, err error) {
	if s == nil {
		s = &siege{}
	}
	m = besieged{Phase: name, Seconds: int(length.Seconds()), LimitMB: c.memory}
	pid := c.gateway.Process.Pid
	opened, closed, failed := s.opened.Load(), s.closed.Load(), s.failed.Load()
	cpu, err := lab.ProcessCPU(pid)
	if err != nil {
		return m, err
	}
	all, idle, err := machine()
	if err != nil {
		return m, err
	}
	begin := time.Now()
	most, err := residentFor(ctx, pid, length)
	if err != nil {
		return m, err
	}
	took := time.Since(begin)
	cpuAfter, err := lab.ProcessCPU(pid)
	if err != nil {
		return m, err
	}
	allAfter, idleAfter, err := machine()
	if err != nil {
		return m, err
	}
	m.MemoryMB = rounded(float64(most) / (1 << 20))
	m.CPUPercent = rounded(100 * (cpuAfter - cpu).Seconds() / took.Seconds())
	m.IdlePercent = rounded(100 * (idleAfter - idle).Seconds() / (allAfter - all).Seconds())
	m.Open, m.Opened, m.Closed, m.Failed = s.open.Load(), s.opened.Load()-opened, s.closed.Load()-closed, s.failed.Load()-failed
	at := window{begin.UnixMicro(), time.Now().UnixMicro()}
	m.noticed, m.Straight = flows[0].notices(at), flows[1].notices(at)
	state, err := c.gateway.control.State(ctx)
	m.Bounds = state.Memory
	return m, err
}

// residentFor is the most that a process has in memory within a time, in bytes.
func residentFor(ctx context.Context, pid int, length time.Duration) (most int64, err error) {
	for end := time.Now().Add(length); time.Now().Before(end); {
		now, _, err := memoryOf(pid)
		if err != nil {
			return most, err
		}
		most = max(most, now)
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return most, err
		}
	}
	return most, nil
}

// notices are what the client that means well has noticed in a window.
func (f *flow) notices(w window) (m noticed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	begun := map[int64]int64{}
	var sends, reads []float64
	for _, s := range f.sends {
		begun[s.number] = s.begin
		if s.begin >= w.from && s.begin <= w.to {
			sends = append(sends, float64(s.took)/1e3)
		}
	}
	for _, s := range f.failed {
		if s.begin >= w.from && s.begin <= w.to {
			m.Errors++
			sends = append(sends, float64(s.took)/1e3)
		}
	}
	for _, d := range f.reads {
		if at, known := begun[d.number]; known && at >= w.from && at <= w.to {
			reads = append(reads, float64(d.when-at)/1e3)
		}
	}
	m.Sends, m.SendP50Ms, m.SendP99Ms = len(sends), percentile(sends, 50), percentile(sends, 99)
	m.Deliveries, m.ReadP50Ms, m.ReadP99Ms = len(reads), percentile(reads, 50), percentile(reads, 99)
	return m
}

// percentile is the value that so many percent of all don't exceed; 0 of none.
func percentile(all []float64, percent int) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return rounded(all[min(len(all)-1, len(all)*percent/100)])
}
