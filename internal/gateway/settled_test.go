//go:build unix

package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// A restart in good order needs no wait before homes move: the process before says that nothing is
// under way. If anything is, or may be, it doesn't.
func TestAProcessThatPassesEverythingOnSaysWhetherAllHasArrived(t *testing.T) {
	for name, test := range map[string]struct {
		before  func(s *serving)
		settled bool
	}{
		"nothing is under way": {func(*serving) {}, true},
		"a send has its answer": {func(s *serving) {
			s.broker.answer(remoting.CodeSendV2, wire.Reply{Code: remoting.NoPermission})
			s.write(sendFrame(2, 10))
			require.Equal(s, remoting.NoPermission, s.answered(2))
		}, true},
		"a send has no answer": {func(s *serving) {
			s.write(sendFrame(2, 10))
			s.broker.next(s.T)
		}, false},
		"a send of a client that has gone has no answer": {func(s *serving) {
			s.write(sendFrame(2, 10))
			s.broker.next(s.T)
			require.NoError(s, s.client.Close())
			require.Eventually(s, func() bool { return len(s.gateway.clients.unansweredSends.ended()) > 0 },
				patience, time.Millisecond)
		}, false},
		"a send was lost": {func(s *serving) {
			s.write(sendFrame(2, 10))
			_ = s.broker.next(s.T).conn.Close()
			require.Eventually(s, func() bool { return len(s.gateway.lost()) > 0 },
				patience, time.Millisecond)
		}, false},
		"a predecessor's may be under way": {func(s *serving) { s.gateway.clients.beginsAgain() }, false},
		"a hold hasn't let all go": {func(s *serving) {
			s.gateway.table.Topics.Get([]byte("orders")).All()[0].Held(routing.NewHold())
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServing(t)
			s.write(beats(1))
			require.Equal(t, remoting.Success, s.answered(1))
			s.broker.next(t)
			test.before(s)
			from, err := Succeed(s.gateway.config.Dir)
			require.NoError(t, err)
			next := inFolder(t, s.broker, s.gateway.config.Dir, from)
			next.handover.folder = from.lock
			require.NoError(t, next.takeFrom(from))
			<-s.gateway.Succeeded()
			assert.Equal(t, test.settled, from.hasSettled())
		})
	}
	var nobody *Predecessor
	assert.False(t, nobody.hasSettled(), "after a kill")
}
