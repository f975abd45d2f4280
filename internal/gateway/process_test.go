package gateway

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	ossignal "os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testToken is the token of the control API in tests.
const testToken = "a-token-of-the-tests"

// asGateway makes this test binary a gateway with that configuration, for tests that kill it.
const asGateway = "ROCKETSHIFT_TEST_GATEWAY"

const (
	diesIn    = "ROCKETSHIFT_TEST_DIES_IN" // the phase of a round at which such a gateway kills itself
	controlAt = "ROCKETSHIFT_TEST_CONTROL" // where its control API is to be; anywhere if empty
	opensMost = "ROCKETSHIFT_TEST_OPENS"   // how many descriptors clients may take
)

// serveForTest runs a gateway until a signal.
func serveForTest(config string) error {
	ctx, stop := ossignal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var c Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	c.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	at, err := net.Listen("tcp", cmp.Or(os.Getenv(controlAt), "127.0.0.1:0"))
	if err != nil {
		return err
	}
	g, err := Start(c)
	if err != nil {
		return err
	}
	g.atPhase = endAt(os.Getenv(diesIn))
	if most, err := strconv.Atoi(os.Getenv(opensMost)); err == nil {
		g.crowd.limit(most)
	}
	defer g.Close()
	control, err := NewControl(g, testToken)
	if err != nil {
		return err
	}
	fmt.Println(g.NameServer(), at.Addr())
	return control.Serve(ctx, at)
}

// gatewayProcess is a gateway that may be killed.
type gatewayProcess struct {
	*exec.Cmd
	client  *Client
	names   string
	control string
}

// spawn starts a gateway as a process of its own, with more in its environment.
func (r *rig) spawn(environment ...string) *gatewayProcess {
	r.Helper()
	config := r.config
	config.Log = nil
	text, err := json.Marshal(config)
	require.NoError(r, err)
	p := &gatewayProcess{Cmd: exec.Command(os.Args[0])}
	p.Env = append(append(os.Environ(), asGateway+"="+string(text)), environment...)
	p.Stderr = os.Stderr
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.StdoutPipe()
	require.NoError(r, err)
	require.NoError(r, p.Start())
	r.Cleanup(p.kill)
	lines := bufio.NewScanner(out)
	require.True(r, lines.Scan(), "the gateway says where it is")
	_, err = fmt.Sscan(lines.Text(), &p.names, &p.control)
	require.NoError(r, err)
	p.client = NewClient(p.control, testToken)
	r.entrance = p.names
	return p
}

// spawnAlone starts a gateway that is the only one of the migration.
func (r *rig) spawnAlone() *gatewayProcess {
	r.Helper()
	p := r.spawn()
	_, err := p.client.Use(r.ctx, r.migration())
	require.NoError(r, err)
	return p
}

func (p *gatewayProcess) kill() {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// A gateway that is killed under load, with homes and groups on the target, goes on from its disk where it was; clients find it by themselves.
func TestLiveAKilledGatewayGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t, "killed")
	orders, billing := r.topic("killed-orders", 2), r.group("killed-billing")
	r.replicate()
	p := r.spawnAlone()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	load := r.produce(orders, "key", 8, 20*time.Millisecond)
	load.again = true
	move := func(id string, m Move) {
		m.ID, m.Budget = id, Duration(2*time.Second)
		ctx, cancel := context.WithTimeout(r.ctx, 20*time.Second)
		defer cancel()
		was, err := p.client.MoveUntilDone(ctx, m)
		require.NoError(t, err, "%+v", was)
	}
	for round := range 2 {
		to := []string{"target", "source"}[round%2]
		move(fmt.Sprint("side-", round), Move{Kind: KindSide, To: to, Groups: []string{billing}})
		move(fmt.Sprint("home-", round), Move{Kind: KindHome, To: to, Topics: []string{orders}})
		before, err := p.client.State(r.ctx)
		require.NoError(t, err)
		t.Log(time.Now(), round, "kill")
		p.kill()
		p = r.spawnAlone()
		after, err := p.client.State(r.ctx)
		require.NoError(t, err)
		require.Equal(t, before.Homes.Away, after.Homes.Away) // what is at the source grows with other tests
		require.Equal(t, before.Epoch, after.Epoch)
		at, got := load.sent.Load(), ordered.got.Load()
		r.eventually("clients go on", func() bool { return load.sent.Load() > at+200 && ordered.got.Load() > got+200 })
	}
	load.end()
	ordered.untilRead(load)
	v := ordered.judge(load)
	require.Zero(t, v.lost)
	t.Logf("%d sent, %d of them after an error; %d repeated, as their producer sent them again or their position wasn't committed", load.sent.Load(), len(load.errors), v.duplicated)
}
