package routing

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestACommitIsOnItsWayForSomeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &View{next: -1, kept: -1}
		assert.EqualValues(t, -1, v.onItsWay(), "nothing was committed here")
		v.takes(7, Source)
		time.Sleep(commitTime - time.Millisecond)
		assert.EqualValues(t, 7, v.onItsWay())
		time.Sleep(time.Millisecond)
		assert.EqualValues(t, -1, v.onItsWay(), "the broker may have been told another position since")
		v.takes(3, Source)
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
				table := NewTable()
				v := table.Groups.Get([]byte("billing")).Of(table.QueueFor("orders", "broker-a", 0))
				v.takes(7, Source)
				time.Sleep(of.age)
				v.dirty = false // it was brought to the other side already
				table.MoveView(v, ViewState{Side: Target, Shift: [2]int64{0, 5}})
				assert.Equal(t, of.owed, v.owed)
				assert.Equal(t, of.owed, v.dirty)
				time.Sleep(commitTime)
				assert.Equal(t, of.owed, v.onItsWay() == 7, "until the side has it")
				v.owed = false
				table.MoveView(v, v.Standing())
				assert.False(t, v.owed, "it didn't move")
			})
		})
	}
}

func TestAnOwedCommitIsDueUntilItIsThere(t *testing.T) {
	v := &View{Queue: &Queue{}, next: -1, kept: -1}
	v.takes(7, Source)
	_, due := v.Due()
	assert.False(t, due, "the group has never moved")
	v.owed = true // it came back to the source, where its offsets are the same
	d, due := v.Due()
	assert.True(t, due)
	assert.Equal(t, Duty{Source, 7, 7, true}, d)
	_, due = v.Due()
	assert.False(t, due, "somebody is at it")
	v.PutBack(d, errors.New("the source is away"))
	d, due = v.Due()
	assert.True(t, due && d.Owed)
	v.takes(9, Source) // a member's own, which may be there before the one that is owed
	v.PutBack(d, nil)
	d, due = v.Due()
	assert.True(t, due && d.Owed)
	assert.EqualValues(t, 9, d.Position)
	v.PutBack(d, nil)
	_, due = v.Due()
	assert.False(t, due)
}
