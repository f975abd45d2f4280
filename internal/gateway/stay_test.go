package gateway

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// member is member one of group billing behind the gateway. The result waits until the target hears
// of it.
func (two *twoSides) member() (hears func()) {
	two.Helper()
	_, client := two.connect(two.T)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	const beat = `{"clientID":"one","consumerDataSet":[{"groupName":"billing","messageModel":"CLUSTERING"}],"producerDataSet":[]}`
	_, err := client.Write(wire.AppendRequest(nil, remoting.CodeHeartbeat, 1, 0, nil, []byte(beat)))
	require.NoError(two, err)
	return func() {
		for {
			select {
			case f := <-two.brokers[routing.Target].got:
				if f.code == remoting.CodeHeartbeat {
					return
				}
			case <-two.Context().Done():
				return
			}
		}
	}
}

// A group that has moved goes back where the target has forgotten a member meanwhile, and its move
// isn't done.
func TestAGroupGoesBackWhenTheTargetForgetsAMember(t *testing.T) {
	t.Parallel()
	two := newTwoSides(t)
	two.member()()
	two.lists(routing.Source, "one")
	two.lists(routing.Target, "one")
	two.atPhase = func(phase string) {
		if phase == store.PhaseStays {
			two.lists(routing.Target)
		}
	}
	move := control.Move{ID: "there", Kind: control.KindSide, To: "target", Groups: []string{"billing"}}
	was, err := two.Move(t.Context(), move)
	require.NoError(t, err)
	assert.False(t, was.Done)
	assert.Contains(t, was.Reason, "group billing was on the target and has gone back")
	assert.Contains(t, was.Reason, "target broker broker-t doesn't list member one at 10.0.0.9:4711")
	assert.EqualValues(t, 2, two.moves.epoch.Load(), "there and back")
	_, there := two.moves.remembered("there")
	assert.False(t, there)
	assert.Empty(t, kept(t, two.Gateway).Moves)

	two.atPhase = nil
	two.lists(routing.Target, "one")
	was, err = two.Move(t.Context(), move)
	require.NoError(t, err)
	assert.True(t, was.Done && !was.Unchecked, "%+v", was)
}

// Members that the target has forgotten are introduced to it again at once, and the group stays.
func TestAMemberThatTheTargetForgetsIsIntroducedAgain(t *testing.T) {
	t.Parallel()
	two := newTwoSides(t)
	hears := two.member()
	hears()
	two.lists(routing.Target, "one")
	two.lists(routing.Source, "one")
	two.atPhase = func(phase string) {
		if phase == store.PhaseStays {
			hears() // that of the move's end
			two.lists(routing.Target)
			go func() {
				hears()
				two.lists(routing.Target, "one")
			}()
		}
	}
	was, err := two.Move(t.Context(),
		control.Move{ID: "there", Kind: control.KindSide, To: "target", Groups: []string{"billing"}})
	require.NoError(t, err)
	assert.True(t, was.Done, "%+v", was)
}

// Whether a group stays is looked at again when its move is asked for again after the gateway ended
// too early.
func TestWhatWasNotCheckedIsCheckedWhenItIsAskedForAgain(t *testing.T) {
	t.Parallel()
	two := newTwoSides(t)
	two.member()()
	two.lists(routing.Source, "one")
	two.lists(routing.Target, "one")
	move := control.Move{
		ID:     "there",
		Kind:   control.KindSide,
		To:     "target",
		Groups: []string{"billing"},
		Budget: control.Duration(time.Second),
	}
	two.moves.remember(control.Moved{ID: "there", Done: true, Unchecked: true, Moved: 3})
	was, err := two.Move(t.Context(), move)
	require.NoError(t, err)
	assert.Equal(t, control.Moved{ID: "there", Done: true, Moved: 3}, was)

	two.moves.remember(control.Moved{ID: "there", Done: true, Unchecked: true, Moved: 3})
	two.lists(routing.Target)
	was, err = two.Move(t.Context(), move)
	require.NoError(t, err)
	assert.False(t, was.Done)
	assert.Contains(t, was.Reason, "has gone back", fmt.Sprint(was))
}
