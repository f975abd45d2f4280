package activities

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

// Name servers drop a broker whose process ends at once: the undo of a fence doesn't see it, and it
// comes back with the group closed.
func TestLongABrokerThatDiesUnderAFenceIsOpenedWhenItIsBack(t *testing.T) {
	t.Parallel()
	from := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Gone", Version: "4.9.7", Brokers: 2})
	r := newRigFrom(t, from, "gone", nil)
	orders := r.topic("orders", 1)
	group, closed := r.group("billing"), r.group("closed")
	r.importAll([]string{orders}, []string{group, closed}, nil)
	r.shut(closed, 0)
	r.shut(closed, 1)
	traffic, returns := NewTraffic(r.settings), NewReturns(r.settings)
	all := BrokersRequest{Request: r.request(), Calm: time.Second}
	for _, b := range r.brokers(r.source) {
		all.Brokers = append(all.Brokers, b.Name)
	}
	died := all.Brokers[1]
	missing := func() (names []string) {
		r.must(returns, "Missing", all, &names)
		return names
	}
	dies := func() {
		require.NoError(t, from.KillBroker(died))
		require.Eventually(t, func() bool { return len(missing()) == 1 }, patience, 100*time.Millisecond)
	}
	comesBack := func() {
		require.NoError(t, from.StartBroker(r.ctx, died))
		require.Eventually(t, func() bool { return len(missing()) == 0 }, patience, 100*time.Millisecond)
	}
	for name, forgotten := range map[string]bool{"the target isn't as it was": false, "nothing is left of the fence": true} {
		r.must(traffic, "Fence", r.groups(api.Source, group), nil)
		// stock brokers write positions, as which the mark is kept, every 5 s
		require.Eventually(t, func() bool {
			return onDisk(from.StoreDir(died), group, consumers.FenceGroup(r.plan), consumers.MarkFenced)
		},
			patience, 100*time.Millisecond, "%s: broker %s has the mark on its disk", name, died)
		dies()
		lift := r.groups(api.Source, group)
		lift.Ours = true
		r.must(traffic, "Unfence", lift, nil) // it knows nothing of the broker
		if forgotten {
			r.must(returns, "Forget", r.groups(api.Source, group), nil)
		}
		assert.Equal(t, []string{died}, missing(), name)
		comesBack()
		assert.Equal(t, all.Brokers[:1], r.openOn(group), "%s: it has come back with the fence", name)
		reopen := all
		reopen.Brokers = []string{died}
		r.must(returns, "Reopen", reopen, nil)
		assert.Equal(t, all.Brokers, r.openOn(group), name)
		assert.Empty(t, r.openOn(closed), "what others closed stays closed")
		var found Survey
		r.must(returns, "Survey", SurveyRequest{Request: r.request(), ByMark: true}, &found)
		want := Survey{OpenedGroups: api.Some(group)}
		if forgotten {
			want = Survey{}
		}
		assert.Equal(t, want, found, name)
	}
}

// onDisk reports whether a broker has a mark where it outlives a kill.
func onDisk(store, group, marks string, mark int64) bool {
	text, _ := os.ReadFile(filepath.Join(store, "config", "consumerOffset.json"))
	is := regexp.QuoteMeta(rocketmq.RetryTopic(group)+"@"+marks+`":`) + fmt.Sprintf(`\s*\{\s*0:\s*%d\b`, mark)
	return regexp.MustCompile(is).Match(text)
}
