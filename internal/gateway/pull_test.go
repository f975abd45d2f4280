package gateway

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// A group that a gateway in doubt let read on is ahead of the copies on the side that it turns out
// to have moved to. Brokers would send it back to the end of what is there, old ones perhaps to the
// queue's beginning.
func TestAGroupThatIsAheadOfCopiesWaitsForThem(t *testing.T) {
	const offset, shift = 123_432, 1000
	for name, c := range map[string]struct {
		home, reads routing.Side
		end         int64 // of the queue on the side that the group reads, a native offset
		waits       bool
	}{
		"on the target before its copies": {routing.Source, routing.Target, offset + shift - 2, true},
		"on the source before its copies": {routing.Target, routing.Source, offset - 1, true},
		"at the home, which lost its end": {routing.Target, routing.Target, offset + shift - 2, false},
		"before what the side still has":  {routing.Source, routing.Target, offset + shift + 500, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer := fmt.Sprintf(
				`{"code":21,"extFields":{"suggestWhichBrokerId":"0","nextBeginOffset":"2000","minOffset":"2000","maxOffset":"%d"},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`,
				c.end,
			)
			p := newPassage(t, answer, nil)
			p.queue.SetHome(c.home, p.queue.Shift())
			p.view.Set(routing.ViewState{Side: c.reads, Shift: [2]int64{routing.Target: shift}})
			goesOnAt(t, p.view, offset)
			code, next := p.asks(remoting.CodePull, "billing", offset)
			advice := 2000 - p.view.Standing().Shift[c.reads]
			if c.waits {
				assert.Equal(t, []int64{remoting.PullRetryImmediately, offset}, []int64{int64(code), next},
					"it asks for the same offset again")
				advice = offset
			} else {
				assert.Equal(t, []int64{remoting.PullOffsetMoved, advice}, []int64{int64(code), next}, "the broker's word counts")
			}
			assert.Equal(t, advice, p.view.Progress().Next, "where the group goes on")
		})
	}
}
