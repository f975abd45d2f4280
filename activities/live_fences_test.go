package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
)

// openOn says on which brokers of the source a group is open.
func (r *rig) openOn(group string) (names []string) {
	r.Helper()
	for _, b := range r.brokers(r.source) {
		groups, err := r.source.Client().Groups(r.ctx, b.Addr)
		require.NoError(r, err)
		if groups[group].ConsumeEnable {
			names = append(names, b.Name)
		}
	}
	return names
}

// shut closes a group on a broker of the source as a person does.
func (r *rig) shut(group string, broker int) {
	r.Helper()
	b := r.brokers(r.source)[broker]
	groups, err := r.source.Client().Groups(r.ctx, b.Addr)
	require.NoError(r, err)
	settings := groups[group]
	settings.ConsumeEnable = false
	require.NoError(r, r.source.Client().PutGroup(r.ctx, b.Addr, settings))
}

func TestLiveOnlyFencesOfRocketshiftAreOpened(t *testing.T) {
	r := newRig(t, "fences")
	orders := r.topic("orders", 1)
	ours, theirs, partly := r.group("ours"), r.group("theirs"), r.group("partly")
	r.importAll([]string{orders}, []string{ours, theirs, partly}, nil)
	r.shut(theirs, 0)
	r.shut(theirs, 1)
	r.shut(partly, 1)
	traffic, returns := NewTraffic(r.settings), NewReturns(r.settings)
	var closed []string
	r.must(traffic, "ClosedByOthers", r.groups(api.Source, ours, theirs, partly), &closed)
	assert.Equal(t, []string{theirs}, closed)
	survey := func() (found Survey) {
		r.Helper()
		r.must(returns, "Survey", SurveyRequest{Request: r.request(), ByMark: true}, &found)
		return found
	}
	assert.Equal(t, Survey{}, survey(), "nothing is ours before anything was moved")

	for range 2 { // the second call finds nothing to do
		r.must(traffic, "Fence", r.groups(api.Source, ours, partly), nil)
	}
	assert.Empty(t, r.openOn(ours))
	assert.Empty(t, r.openOn(partly))
	assert.Equal(t, Survey{FencedGroups: api.Some(ours, partly)}, survey())

	lift := r.groups(api.Source, ours, partly)
	lift.Ours = true
	r.must(traffic, "Unfence", lift, nil)
	assert.Len(t, r.openOn(ours), 2)
	assert.Equal(t, []string{r.brokers(r.source)[0].Name}, r.openOn(partly),
		"what a person closed stays closed")
	assert.Empty(t, r.openOn(theirs))
	assert.Equal(t, Survey{OpenedGroups: api.Some(ours, partly)}, survey(),
		"the target isn't known to be as it was")
	r.must(returns, "Forget", r.groups(api.Source, ours, partly), nil)
	assert.Equal(t, Survey{}, survey())
}
