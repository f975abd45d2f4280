package gateway

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	ossignal "os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
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
func serveForTest(config string) (err error) {
	ctx, stop := ossignal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var c Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	c.Log = slog.New(slog.NewTextHandler(os.Stderr, nil)) // which the test that started it reads
	if c.Predecessor, err = Succeed(c.Dir); err != nil {
		return err
	}
	c.Listeners = &Listeners{From: c.Predecessor}
	at, err := c.Listeners.Listen("control", cmp.Or(os.Getenv(controlAt), "127.0.0.1:0"))
	if err != nil {
		return err
	}
	g, err := Start(c)
	if err != nil {
		return err
	}
	g.atPhase = endAt(os.Getenv(diesIn))
	if most, err := strconv.Atoi(os.Getenv(opensMost)); err == nil {
		g.clients.admission.limiter.Limit(most)
	}
	defer g.Close()
	go func() {
		<-g.Succeeded()
		stop()
	}()
	control, err := controlserver.New(g, testToken)
	if err != nil {
		return err
	}
	fmt.Println(g.NameServer(), at.Addr())
	return control.Serve(ctx, at)
}

// gatewayProcess is a gateway that may be killed.
type gatewayProcess struct {
	*exec.Cmd
	client  *control.Client
	names   string
	control string
	ended   chan struct{} // closed when it has ended
	how     error         // how it ended
}

// spawn starts a gateway as a process of its own, with more in its environment.
func (r *rig) spawn(environment ...string) *gatewayProcess {
	r.Helper()
	config := r.config
	config.Log = nil
	text, err := json.Marshal(config)
	require.NoError(r, err)
	p := &gatewayProcess{Cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	p.Env = append(append(os.Environ(), asGateway+"="+string(text)), environment...)
	p.Stderr = r.seen.output(r.T, config.Name)
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.StdoutPipe()
	require.NoError(r, err)
	require.NoError(r, p.Start())
	r.Cleanup(p.kill)
	lines := bufio.NewScanner(out)
	says := lines.Scan()
	go func() {
		p.how = p.Wait()
		close(p.ended)
	}()
	require.True(r, says, "the gateway says where it is")
	_, err = fmt.Sscan(lines.Text(), &p.names, &p.control)
	require.NoError(r, err)
	p.client = control.NewClient(p.control, control.Access{Token: testToken})
	r.entrance = p.names
	return p
}

// spawnAlone starts a gateway that is the only one of the migration.
func (r *rig) spawnAlone() *gatewayProcess {
	r.Helper()
	p := r.spawn()
	p.use(r)
	return p
}

// use tells the gateway the migration.
func (p *gatewayProcess) use(r *rig) {
	r.Helper()
	untilAnswered(r, "the gateway takes the migration",
		func() (control.State, error) { return p.client.Use(r.ctx, r.migration()) })
}

// state is how the gateway stands.
func (p *gatewayProcess) state(r *rig) control.State {
	r.Helper()
	return untilAnswered(r, "how the gateway stands", func() (control.State, error) { return p.client.State(r.ctx) })
}

// moves moves, and wants it done.
func (p *gatewayProcess) moves(r *rig, m control.Move) control.Moved {
	r.Helper()
	m.Budget = control.Duration(2 * time.Second)
	return untilAnswered(r, m.ID+" is done", func() (control.Moved, error) {
		defer r.seen.move(time.Now())
		ctx, cancel := context.WithTimeout(r.ctx, patience)
		defer cancel()
		return p.client.MoveUntilDone(ctx, m)
	})
}

func (p *gatewayProcess) kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// diesInMove asks for a move until the gateway has died in it: what hinders a move under load, and
// just after a restart, passes.
func (p *gatewayProcess) diesInMove(r *rig, what string, next func() control.Move) {
	r.Helper()
	r.await(what, func() string {
		was, err := p.client.Move(r.ctx, next())
		select {
		case <-p.ended:
			require.ErrorContains(r, p.how, "signal: killed", what)
			return ""
		default:
			require.False(r, was.Done, "%s: %+v", what, was)
			return fmt.Sprint(was.Reason, " ", err)
		}
	})
}

// A gateway that is killed under load, with homes and groups on the target, goes on from its disk
// where it was; clients find it by themselves.
func TestLiveAKilledGatewayGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t, "killed")
	r.breaks = breaksGateways
	orders, billing := r.topic("orders", 2), r.group("billing")
	r.replicate()
	p := r.spawnAlone()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	load := r.produce(orders, "key", 8, 20*time.Millisecond)
	for round := range 2 {
		to := []string{"target", "source"}[round%2]
		p.moves(r,
			control.Move{ID: fmt.Sprint("side-", round), Kind: control.KindSide, To: to, Groups: []string{billing}})
		p.moves(r,
			control.Move{ID: fmt.Sprint("home-", round), Kind: control.KindHome, To: to, Topics: []string{orders}})
		before := p.state(r)
		p.kill()
		p = r.spawnAlone()
		after := p.state(r)
		require.Equal(t, before.Homes.Away, after.Homes.Away) // what is at the source grows with other tests
		require.Equal(t, before.Epoch, after.Epoch)
		r.untilMore(200, load, ordered)
	}
	load.end()
	ordered.untilRead(load)
	v := ordered.judge(load)
	require.Zero(t, v.lost)
	r.sentWell(ordered, load)
	t.Logf("%s; %d repeated, as their position wasn't committed", load, v.duplicated)
}
