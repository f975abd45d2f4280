package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab/labtest"
)

func TestMain(m *testing.M) {
	if keeper.Asked(os.Args) {
		os.Exit(keeper.Main(os.Args))
	}
	// The gateway is this program once more, and so are members with client-go.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	is, err := playPart(ctx, os.Args[1:])
	stop()
	switch {
	case is && err != nil:
		os.Exit(1)
	case is:
		os.Exit(0)
	}
	labtest.Main(m)
}

func TestOptionsAreChecked(t *testing.T) {
	o, err := parse([]string{"-load", "reads", "-way", "direct,gateway", "-work", "1ms"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, reads, o.load)
	assert.Equal(t, []string{"direct", "gateway"}, o.ways)
	assert.Equal(t, time.Millisecond, o.work)
	for _, args := range [][]string{
		{"-load", "writes"},
		{"-rounds", "0"},
		{"-batch", "0"},
		{"-rate", "-1"},
		{"-chunk", "0"},
		{"-fast"},
		{"-members", "ruby"},
		{"-restart", "reboot"},
	} {
		_, err := parse(args, io.Discard)
		assert.Error(t, err, args)
	}
}

func TestTheMachinesTimeIsRead(t *testing.T) {
	all, idle, err := parseMachine("cpu  10 1 20 500 4 2 3 0 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	require.NoError(t, err)
	assert.Equal(t, 5400*time.Millisecond, all)
	assert.Equal(t, 5040*time.Millisecond, idle)
	_, _, err = parseMachine("intr 1 2")
	assert.ErrorContains(t, err, "/proc/stat")
}

func TestCostsAreForAMillionMessages(t *testing.T) {
	m := measured{Way: "gateway", Messages: 50_000}
	m.costs(used{gateway: time.Second, broker: time.Second, all: 10 * time.Second, idle: time.Second},
		used{gateway: 2 * time.Second, broker: 6 * time.Second, all: 20 * time.Second, idle: 6 * time.Second})
	assert.InDelta(t, 20, m.HopCPU, 0.01)
	assert.InDelta(t, 100, m.BrokerCPU, 0.01)
	assert.InDelta(t, 50, m.IdlePercent, 0.01)
}

// A group moves to the target at 1,000,000; homes at 3,000,000.
func TestAFlowIsJudged(t *testing.T) {
	f := &flow{}
	for _, line := range []string{
		"s 100000 2000 1", "s 995000 30000 2", "s 1020000 1500 3", "s 3000100 12000 4", "e 3000200 3000000 5",
		"e 3000300 2000 8", "talk of a client", "r 102000 0 orders 0 1", "r 1001000 0 orders 1 2",
		"r 1008000 1 orders 0 3", "r 1041000 1 orders 1 4", "r 1042000 1 orders 1 4",
	} {
		f.take(line)
	}
	steps := []step{
		{kind: control.KindSide, to: "target", at: window{1_000_000, 1_010_000}, held: 4, queues: 2},
		{kind: control.KindHome, to: "target", at: window{3_000_000, 3_010_000}, held: 9, queues: 2, again: 1},
	}
	side := f.judge(control.KindSide, steps)
	assert.Equal(t, spread{30, 30, 30}, side.Pause)
	assert.Equal(t, spread{7, 7, 7}, *side.Gap)
	assert.Equal(t, spread{40, 40, 40}, *side.QueueGap)
	assert.Equal(t, 1, side.Repeated)
	home := f.judge(control.KindHome, steps)
	assert.Equal(t, spread{12, 12, 12}, home.Pause)
	assert.Equal(t, spread{}, home.Control)
	assert.Equal(t, spread{9, 9, 9}, home.Held)
	assert.Equal(t, 2, home.Errors)
	assert.Equal(t, 1, home.Refused)
	assert.Equal(t, 1, home.Again)
	assert.Nil(t, home.Gap)
	assert.Equal(t, 4, home.Sends)
	f.take("s 3100000 100 6")
	assert.Equal(t, 1, f.judge(control.KindHome, steps).Lost)
}

func TestRoutesNameTheAddressToConnectTo(t *testing.T) {
	assert.Equal(t, "127.0.0.1:7001",
		brokerIn([]byte(`{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:7001"},"brokerName":"broker-a"}]}`)))
	assert.Empty(t, brokerIn([]byte(`{}`)))
	assert.True(t, json.Valid(heartbeat("client-1", "idle-1")))
}

func TestWhatAClientNoticesIsThatOfItsWindow(t *testing.T) {
	f := &flow{}
	for _, line := range []string{
		"s 100 1000 1", "r 1300 0 orders 0 1", "s 5000 2000 2", "s 6000 4000 3", "e 7000 9000 4", "r 8000 0 " +
			"orders 0 2", "r 16000 0 orders 0 3", "s 90000 1 5",
	} {
		f.take(line)
	}
	m := f.notices(window{5000, 8000})
	assert.Equal(t,
		noticed{Sends: 3, Errors: 1, SendP50Ms: 4, SendP99Ms: 9, Deliveries: 2, ReadP50Ms: 10, ReadP99Ms: 10},
		m)
	assert.Zero(t, percentile(nil, 99))
}

func TestTheSharesOfASiegeAreAHundred(t *testing.T) {
	all := 0
	for _, kind := range evils {
		all += kind.share
	}
	assert.Equal(t, 100, all)
	var f wire.Frame
	require.NoError(t, f.Parse(headerOf128()))
	assert.Len(t, f.Fields, wire.MaxFields)
	for _, raw := range largeBeats() {
		require.NoError(t, f.Parse(raw))
		assert.True(t, json.Valid(f.Body))
		assert.LessOrEqual(t, len(raw), 4<<20)
	}
}

// What is waited for after a restart is told by the kind of the member.
func TestEachKindOfMembersHasALineOfItsOwn(t *testing.T) {
	slow, quick := &flow{kind: goMember}, &flow{kind: javaMember}
	for f, lines := range map[*flow][]string{
		slow:  {"s 1000 100 1", "r 1500 0 orders 0 1", "r 31000000 0 orders 0 2"},
		quick: {"s 1100 100 2", "r 1600 0 orders 1 2", "r 2900000 0 orders 1 3", "r 2910000 0 orders 1 3"},
	} {
		for _, line := range lines {
			f.take(line)
		}
	}
	down, serves := []window{{1_000_000, 2_000_000}}, []int64{2_000_000}
	for f, want := range map[*flow][2]float64{slow: {29_000, 30_000}, quick: {900, 1_900}} {
		m := restarted{Way: killed}
		m.took([]*flow{f}, down, serves)
		assert.InDelta(t, want[0], m.OnMs.P99, 0.1, f.kind)
		assert.InDelta(t, want[1], m.SinceMs.P99, 0.1, f.kind)
	}
	assert.Error(t, flowOfGo([]string{"127.0.0.1:1", "orders"}, nil, io.Discard))
}
