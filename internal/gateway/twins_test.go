package gateway

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// twins are connections of applications that say one client id, as containers on the host network
// and broadcasting members do.
type twins struct {
	*guarded
	conns []net.Conn
}

func newTwins(t *testing.T, groups ...string) *twins {
	t.Helper()
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	all := &twins{guarded: g, conns: []net.Conn{g.client}}
	for i := range groups {
		if i > 0 {
			_, conn := g.gateway.connect(t)
			all.conns = append(all.conns, conn)
		}
		all.beats(i, groups[i])
	}
	return all
}

// beats has an application send its heartbeat, which the source takes.
func (w *twins) beats(i int, group string) {
	w.Helper()
	w.client, w.in = w.conns[i], wire.NewReader(w.conns[i])
	w.request(remoting.CodeHeartbeat, 0, rightly, nil, fmt.Sprintf(
		`{"clientID":"10.0.0.5@1","consumerDataSet":[{"groupName":%q,"messageModel":"BROADCASTING"}]}`, group))
	is, remark := w.answer()
	require.Equal(w, remoting.Success, is, remark)
}

// claimed are the clients that the target is told of.
func (w *twins) claimed() int {
	w.gateway.clients.registry.mirrors.mu.Lock()
	defer w.gateway.clients.registry.mirrors.mu.Unlock()
	return len(w.gateway.clients.registry.mirrors.claims)
}

// Two applications with one client id and other groups are two: the target refuses the pulls of a
// group that it wasn't told of.
func TestTwoApplicationsWithOneClientIDAreBothKnownOnTheTarget(t *testing.T) {
	w := newTwins(t, "billing", "audit")
	for range 2 {
		require.Equal(t, remoting.CodeHeartbeat, w.target.next(t).code)
	}
	require.Equal(t, 2, w.claimed())
}

// Members of one broadcasting group with one client id are one to the target, as to members that
// ask it: when the one that speaks for both goes, the other one does.
func TestABroadcastingTwinSpeaksForTheOneThatGoes(t *testing.T) {
	w := newTwins(t, "billing", "billing")
	first := w.target.next(t)
	require.Equal(t, remoting.CodeHeartbeat, first.code)
	require.Equal(t, 1, w.claimed())
	require.NoError(t, w.conns[0].Close())
	again := w.target.next(t)
	require.Equal(t, remoting.CodeHeartbeat, again.code, "the twin's")
	assert.NotSame(t, first.conn, again.conn)
}

// A group doesn't move to a target that doesn't list a member which the source lists: it is named.
func TestAMoveNamesMembersThatTheTargetDoesNotList(t *testing.T) {
	for name, lists := range map[string][]string{
		"none of them":         nil,
		"the other one":        {"10.0.0.6@1"},
		"one of another group": {"10.0.0.7@1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each takes knownTime
			two := newTwoSides(t)
			two.lists(routing.Source, "10.0.0.5@1", "10.0.0.6@1")
			two.lists(routing.Target, lists...)
			begin := time.Now()
			_, err := two.Move(t.Context(), control.Move{
				ID: "there", Kind: control.KindSide, To: "target", Groups: []string{"billing"},
				Accept: []string{"billing"}, // they aren't behind this gateway
			})
			require.ErrorIs(t, err, control.ErrRefused)
			require.ErrorContains(t, err,
				"group billing: target broker broker-t doesn't list member 10.0.0.5@1 at 10.0.0.9:4711")
			require.ErrorContains(t, err, "two applications with one client id and other groups")
			assert.GreaterOrEqual(t, time.Since(begin), replicas.KnownTime, "their heartbeats have time")
			require.Zero(t, two.moves.epoch.Load())
		})
	}
}

// A target broker that is too busy to say whom it lists refuses nobody: the move isn't done, and
// its reason blames no application.
func TestAMoveBlamesNobodyWhenTheTargetDoesNotAnswer(t *testing.T) {
	t.Parallel()
	two := newTwoSides(t)
	two.lists(routing.Source, "10.0.0.5@1")
	two.brokers[routing.Target].answer(codeMembersOf,
		wire.Reply{Code: remoting.SystemBusy, Remark: "[TIMEOUT_CLEAN_QUEUE]broker busy"})
	was, err := two.Move(t.Context(), control.Move{
		ID: "there", Kind: control.KindSide, To: "target", Groups: []string{"billing"},
		Accept: []string{"billing"}, // they aren't behind this gateway
	})
	require.NoError(t, err)
	assert.False(t, was.Done)
	assert.Contains(t, was.Reason, "group billing: whether the target knows its members isn't known")
	assert.Contains(t, was.Reason, "broker busy")
	assert.NotContains(t, was.Reason, "two applications")
}
