package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

func TestACommitIsOnItsWayForSomeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &view{next: -1, kept: -1}
		assert.EqualValues(t, -1, v.onItsWay(), "nothing was committed here")
		v.takes(call{commit: 7})
		time.Sleep(commitTime - time.Millisecond)
		assert.EqualValues(t, 7, v.onItsWay())
		time.Sleep(time.Millisecond)
		assert.EqualValues(t, -1, v.onItsWay(), "the broker may have been told another position since")
		v.takes(call{commit: 3})
		assert.EqualValues(t, 3, v.onItsWay(), "a member may go back")
	})
}

func TestACommitFromJustBeforeAMoveIsOwedToTheSideThatTheGroupReadsFrom(t *testing.T) {
	for name, of := range map[string]struct {
		age  time.Duration
		owed bool
	}{"young": {0, true}, "old": {commitTime, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := alone(t)
				v := g.table.groups.get([]byte("billing")).of(g.table.queueFor("orders", "broker-a", 0))
				v.takes(call{commit: 7})
				time.Sleep(of.age)
				v.dirty = false // it was brought to the other side already
				moved := viewAsIs(v)
				moved.Side, moved.Shift = routing.Target.String(), [2]int64{0, 5}
				g.apply(&store.Outcome{Epoch: 1, Views: []store.View{moved}})
				assert.Equal(t, of.owed, v.owed)
				assert.Equal(t, of.owed, v.dirty)
				time.Sleep(commitTime)
				assert.Equal(t, of.owed, v.onItsWay() == 7, "until the side has it")
				again := viewAsIs(v)
				v.owed = false
				g.apply(&store.Outcome{Epoch: 2, Views: []store.View{again}})
				assert.False(t, v.owed, "it didn't move")
			})
		})
	}
}

func TestAnOwedCommitIsDueUntilItIsThere(t *testing.T) {
	v := &view{queue: &queue{}, next: -1, kept: -1}
	v.takes(call{commit: 7})
	_, due := v.due()
	assert.False(t, due, "the group has never moved")
	v.owed = true // it came back to the source, where its offsets are the same
	d, due := v.due()
	assert.True(t, due)
	assert.Equal(t, duty{routing.Source, 7, 7, true}, d)
	_, due = v.due()
	assert.False(t, due, "somebody is at it")
	v.putBack(d, errors.New("the source is away"))
	d, due = v.due()
	assert.True(t, due && d.owed)
	v.takes(call{commit: 9}) // a member's own, which may be there before the one that is owed
	v.putBack(d, nil)
	d, due = v.due()
	assert.True(t, due && d.owed)
	assert.EqualValues(t, 9, d.position)
	v.putBack(d, nil)
	_, due = v.due()
	assert.False(t, due)
}
