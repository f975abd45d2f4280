package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

// answered echoes an approval as the workflow does, with its time.
func answered(message any) (any, error) {
	a := message.(api.Approval)
	a.At = noon
	return a, nil
}

func TestApproveIsBoundToWhatStatusShows(t *testing.T) {
	f := &fake{looks: seen(asking("shift-25"), running()), update: answered}
	o := rocketshift(t, f, "approve", "orders", "shift-25", "--by", "alice", "--reason", "looks fine", "-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
	require.Len(t, f.updates, 1)
	assert.Equal(t, sent{
		"migration-orders", "approve",
		"migration-orders/shift-25/fedcba987654/2026-08-01T13:00:00Z",
		api.Approval{
			Gate:     "shift-25",
			By:       "alice",
			Reason:   "looks fine",
			PlanHash: "0123456789ab",
			Evidence: "fedcba987654",
		},
	}, f.updates[0])
	doc := o.document(t)
	assert.Equal(t, "update", doc["via"])
	assert.Equal(t, "alice", doc["by"])
	assert.Equal(t, f.updates[0].updateID, doc["updateId"])
}

func TestApproveOfAnotherPlanOrOtherEvidenceLeavesTheJudgementToTheWorkflow(t *testing.T) {
	f := &fake{
		looks:  seen(asking("shift-25")),
		update: func(any) (any, error) { return nil, remote.Refusal{Text: "it names plan x, but plan y runs"} },
	}
	o := rocketshift(t, f, "approve", "orders", "shift-25", "--by", "alice", "--plan-hash", "x", "--evidence", "y")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "refused: it names plan x, but plan y runs; nothing was changed")
	assert.Equal(t, "x", f.updates[0].message.(api.Approval).PlanHash)
	assert.Equal(t, "y", f.updates[0].message.(api.Approval).Evidence)
}

func TestTheSameQuestionHasTheSameUpdateIDAndAnotherOneAnother(t *testing.T) {
	first := asking("shift-25").Waiting[0]
	again := first
	assert.Equal(t, updateID("w", first), updateID("w", again))
	later := again.Expires.Add(1)
	again.Expires = &later
	assert.NotEqual(t, updateID("w", first), updateID("w", again),
		"asked again, after a failed stage or with evidence that was measured anew")
	again = first
	again.Evidence = "other"
	assert.NotEqual(t, updateID("w", first), updateID("w", again))
}

func TestARepeatedApprovalGivesTheFirstAnswer(t *testing.T) {
	passed := running(func(s *remote.Snapshot) {
		s.Approvals = []api.Approval{{Gate: "shift-25", By: "alice", At: noon, PlanHash: "0123456789ab"}}
	})
	f := &fake{looks: seen(passed)}
	o := rocketshift(t, f, "approve", "orders", "shift-25", "--by", "bob")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "shift-25 was approved already by alice at ")
	assert.Empty(t, f.updates)
	doc := rocketshift(t, f, "approve", "orders", "shift-25", "--by", "bob", "-o", "json").document(t)
	assert.Equal(t, "earlier", doc["via"])
	assert.Equal(t, "alice", doc["by"])
}

func TestTheSecondOfTwoAtTheSameMomentIsToldWhoWasFirst(t *testing.T) {
	f := &fake{
		looks:  seen(asking("purchase"), running()),
		update: func(any) (any, error) { return api.Approval{Gate: "purchase", By: "alice", At: noon}, nil },
	}
	o := rocketshift(t, f, "approve", "orders", "purchase", "--by", "bob")
	assert.Contains(t, o.stdout, "purchase was approved already by alice")
}

func TestAnApprovalOfAWrongGateIsRefusedAndNamesTheRightOne(t *testing.T) {
	f := &fake{looks: seen(asking("shift-25"))}
	o := rocketshift(t, f, "approve", "orders", "shift-50", "--by", "alice")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, `does not wait for an approval of "shift-50"; waiting now: shift-25`)
	o = rocketshift(t, &fake{looks: seen(running())}, "approve", "orders", "finalize", "--by", "alice")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr,
		`migration-orders waits for no approval now (it is running), so not for "finalize"; see rocketshift status`)
	assert.Empty(t, f.updates)
}

func TestApproveReturnsWhenTheQuestionIsGone(t *testing.T) {
	f := &fake{looks: seen(asking("shift-25"), asking("shift-25"), asking("shift-25"), running()), update: answered}
	rocketshift(t, f, "approve", "orders", "shift-25", "--by", "alice")
	assert.Len(t, f.asked, 4)
}

func TestWithNoWorkerAnAnswerIsLeftAsASignalAndThatIsSaid(t *testing.T) {
	late := func(any) (any, error) { return nil, errLate }
	for _, c := range []struct {
		args    []string
		looks   []look
		message any
	}{
		{[]string{"approve", "orders", "purchase", "--by", "alice"}, unseen(errLate), api.Approval{Gate: "purchase", By: "alice"}},
		{
			[]string{"approve", "orders", "purchase", "--by", "alice"},
			seen(asking("purchase")),
			api.Approval{Gate: "purchase", By: "alice", PlanHash: "0123456789ab", Evidence: "fedcba987654"},
		},
		{[]string{"hold", "orders", "--by", "alice", "--reason", "lunch"}, nil, api.Steering{By: "alice", Reason: "lunch"}},
		{[]string{"released", "orders", "--by", "ci", "--group", "g"}, nil, api.Released{By: "ci", Groups: []string{"g"}}},
	} {
		f := &fake{looks: c.looks, update: late}
		o := rocketshift(t, f, append(c.args, "-o", "json")...)
		require.Equal(t, failure.Done, o.code, o.stderr)
		assert.Equal(t, []sent{{"migration-orders", c.args[0], "", c.message}}, f.signals)
		assert.Contains(t, o.stderr, "no worker answered within 15s: "+c.args[0]+" was left as a signal")
		assert.Equal(t, "signal", o.document(t)["via"])
	}
}

func TestASignalThatCannotBeLeftIsAFailure(t *testing.T) {
	o := rocketshift(t, &fake{update: func(any) (any, error) { return nil, errLate }, signal: errLate}, "back",
		"orders", "--by", "alice")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "see rocketshift doctor")
	o = rocketshift(t, &fake{looks: unseen(errLate), signal: remote.ErrNotFound}, "approve", "orders", "purchase",
		"--by", "alice")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "there is no workflow migration-orders")
}

func TestSteeringIsSentByItsName(t *testing.T) {
	for _, name := range []string{"hold", "resume", "back"} {
		f := &fake{}
		o := rocketshift(t, f, name, "orders", "--by", "alice", "--reason", "why")
		require.Equal(t, failure.Done, o.code, o.stderr)
		assert.Equal(t, []sent{{"migration-orders", name, "", api.Steering{By: "alice", Reason: "why"}}}, f.updates)
		assert.Equal(t, name+" taken by migration-orders\n", o.stdout)
	}
}

func TestSteeringThatIsRefusedOrTooLateSaysSo(t *testing.T) {
	for want, err := range map[string]error{
		"refused: orders is not held; nothing was changed":                remote.Refusal{Text: "orders is not held"},
		"migration-orders has ended: nothing more can be asked of it":     remote.ErrEnded,
		"there is no workflow migration-orders; rocketshift start -f pla": remote.ErrNotFound,
	} {
		o := rocketshift(t, &fake{update: func(any) (any, error) { return nil, err }}, "resume", "orders",
			"--by", "alice")
		assert.Equal(t, failure.BadUsage, o.code)
		assert.Contains(t, o.stderr, want)
	}
}

func TestReleasedNamesGroupsAndTopics(t *testing.T) {
	f := &fake{}
	o := rocketshift(t, f, "released", "orders", "--by", "ci", "--group", "a", "--group", "b", "--topic", "t",
		"--stage", "Shift")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Equal(
		t,
		[]sent{
			{
				"migration-orders-shift",
				"released",
				"",
				api.Released{By: "ci", Groups: []string{"a", "b"}, Topics: []string{"t"}},
			},
		},
		f.updates,
	)
}

func TestReleasedWaitReturnsWhenTheMigrationAsksNoMore(t *testing.T) {
	f := &fake{looks: seen(asksRelease(), asksRelease(), asksRelease(), asking("shift-100"))}
	o := rocketshift(t, f, "released", "orders", "--by", "ci", "--wait")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Len(t, f.asked, 4)
	f = &fake{looks: seen(asksRelease())}
	o = rocketshift(t, f, "released", "orders", "--by", "ci", "--group", "other", "--wait")
	assert.Equal(t, failure.Done, o.code, "what is asked of others is not waited for")
	o = rocketshift(t, &fake{looks: unseen(remote.ErrNotFound)}, "released", "orders", "--by", "ci", "--wait")
	assert.Equal(t, failure.BadUsage, o.code)
}
