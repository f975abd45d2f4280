package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// drifting is a target that is as its source, and a follower that has seen both.
func drifting(t *testing.T, drift plan.Drift) (source, target *fakeSide, both clusters.Both, f *Follower) {
	t.Helper()
	source, w := sourceOf(4)
	target = newFakeSide("5.3.3", "x", "y")
	p := testPlan("")
	p.Metadata.Drift = drift
	_, err := applied(t, p, source, target, w)
	require.NoError(t, err)
	both = bothOf(t, p, source, target)
	f = NewFollower(both, layoutOf(t, both))
	told, err := f.Drift(t.Context(), layoutOf(t, both))
	require.NoError(t, err)
	require.Empty(t, told)
	return source, target, both, f
}

func layoutOf(t *testing.T, both clusters.Both) clusters.Layout {
	t.Helper()
	l, err := both.Layout(t.Context())
	require.NoError(t, err)
	return l
}

func change(side *fakeSide, do func(*fakeBroker)) {
	side.mu.Lock()
	defer side.mu.Unlock()
	for _, b := range side.brokers {
		do(b)
	}
}

func TestWhatChangesOnTheSourceIsTold(t *testing.T) {
	source, target, both, f := drifting(t, "")
	before := target.state(t)
	change(source, func(b *fakeBroker) {
		b.groups["g0001"] = groupSettings("g0001", 99)
		b.groups["new"] = groupSettings("new", 16)
		delete(b.groups, "g0002")
		delete(b.topics, "t0003")
	})
	told, err := f.Drift(t.Context(), layoutOf(t, both))
	require.NoError(t, err)
	require.Len(t, told, 4)
	assert.Contains(t, told[0], "group g0001: changed: target broker x has retryMaxTimes=1, wanted is 99")
	assert.Contains(t, told[1], "group new: is on the source and not on the target")
	assert.Contains(t, told[2], "topic t0003: was deleted on the source")
	assert.Contains(t, told[3], "group g0002: was deleted on the source")
	assert.JSONEq(t, before, target.state(t), "and nothing is changed")
	rows, err := Drift(t.Context(), both, layoutOf(t, both))
	require.NoError(t, err)
	assert.Len(t, rows, 2, "the ledger's")
}

func TestSettingsFollowUntilTheGroupHasMoved(t *testing.T) {
	source, target, both, f := drifting(t, plan.DriftFollow)
	change(target, func(b *fakeBroker) { b.groups["g0003"]["consumeEnable"] = true }) // it has moved
	change(source, func(b *fakeBroker) {
		b.groups["g0001"] = groupSettings("g0001", 99)
		b.groups["g0003"] = groupSettings("g0003", 99)
	})
	told, err := f.Drift(t.Context(), layoutOf(t, both))
	require.NoError(t, err)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], "group g0003: changed")
	groups, err := both.Target.Client().Groups(t.Context(), "x:10911")
	require.NoError(t, err)
	assert.Equal(
		t,
		[]any{99, false},
		[]any{groups["g0001"].RetryMaxTimes, groups["g0001"].ConsumeEnable},
		"it stays closed",
	)
	assert.Equal(t, 3, groups["g0003"].RetryMaxTimes, "the target's own by now")
}

func TestNewGroupsFollowAndStayClosed(t *testing.T) {
	source, target, both, f := drifting(t, plan.DriftFollow)
	change(source, func(b *fakeBroker) { b.groups["late"] = groupSettings("late", 7) })
	for range 2 {
		told, err := f.Drift(t.Context(), layoutOf(t, both))
		require.NoError(t, err)
		require.Len(t, told, 1)
		assert.Contains(t, told[0], "group late: came after Assess, and was made on the target")
	}
	for _, broker := range []string{"x:10911", "y:10911"} {
		groups, err := both.Target.Client().Groups(t.Context(), broker)
		require.NoError(t, err)
		assert.Equal(t, []any{7, false}, []any{groups["late"].RetryMaxTimes, groups["late"].ConsumeEnable})
	}
	change(source, func(b *fakeBroker) {
		for name := range b.groups {
			b.groups[name]["consumeEnable"] = name == "late" // the others have moved
		}
	})
	change(target, func(b *fakeBroker) {
		for name := range b.groups {
			b.groups[name]["consumeEnable"] = name != "late"
		}
	})
	rows, err := Drift(t.Context(), both, layoutOf(t, both))
	require.NoError(t, err)
	require.Len(t, rows, 1, "the ledger's: once the source is retired, nobody opens it")
	assert.Contains(t, rows[0].String(), "group late: was brought over after Assess, and no step has moved it")
}

// 4.x keeps in no setting whether a group reads in order: its members say so.
func TestNewGroupsAreOrderlyAsTheirMembersRead(t *testing.T) {
	for name, c := range map[string]struct {
		members map[string]string
		orderly bool
	}{
		"in order":                     {map[string]string{"one": "true", "two": "true"}, true},
		"side by side":                 {map[string]string{"one": "false"}, false},
		"the first one says nothing":   {map[string]string{"one": "", "two": "true"}, true},
		"nobody says anything":         {map[string]string{"one": ""}, false},
		"nobody is connected any more": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			source, target, both, f := drifting(t, plan.DriftFollow)
			change(source, func(b *fakeBroker) {
				b.groups["late"] = groupSettings("late", 7)
				b.members = map[string]map[string]string{"late": c.members}
			})
			for range 2 { // it stays as it was made
				_, err := f.Drift(t.Context(), layoutOf(t, both))
				require.NoError(t, err)
			}
			target.mu.Lock()
			delete(target.brokers["y"].groups, "late") // as if the first look had been cut off
			target.mu.Unlock()
			_, err := f.Drift(t.Context(), layoutOf(t, both))
			require.NoError(t, err)
			for _, broker := range []string{"x:10911", "y:10911"} {
				groups, err := both.Target.Client().Groups(t.Context(), broker)
				require.NoError(t, err)
				require.Contains(t, groups, "late", broker)
				assert.Equal(t, c.orderly, groups["late"].Orderly, broker)
			}
		})
	}
}

func TestNewGroupsBehindGatewaysAreOpenAsAllOfTheirsAre(t *testing.T) {
	source, _, both, f := drifting(t, plan.DriftFollow)
	f.Plan.Traffic.Mode = plan.ModeGateway
	change(source, func(b *fakeBroker) { b.groups["late"] = groupSettings("late", 7) })
	_, err := f.Drift(t.Context(), layoutOf(t, both))
	require.NoError(t, err)
	groups, err := both.Target.Client().Groups(t.Context(), "x:10911")
	require.NoError(t, err)
	assert.True(t, groups["late"].ConsumeEnable)
}

func TestAKeptDifferenceIsNoDrift(t *testing.T) {
	source, _, both, _ := drifting(t, "")
	change(source, func(b *fakeBroker) { b.groups["g0001"] = groupSettings("g0001", 99) })
	both.Plan.Metadata.Groups = map[string]plan.Decision{"g0001": plan.DecisionKeep}
	rows, err := Drift(t.Context(), both, clusters.Layout{
		SourceBrokers: []rocketmq.Broker{
			{Name: "a", Addr: "a:10911"},
		}, TargetBrokers: []rocketmq.Broker{{Name: "x", Addr: "x:10911"}},
	})
	require.NoError(t, err)
	assert.Empty(t, rows)
}
