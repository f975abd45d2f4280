package lanes

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// What persons told the lanes goes to every shard each time that the lanes start again, to the
// parent, and into the input of what it starts. So it is bounded, and so is the history that all
// the starts make.
const (
	// keptAnswers is how many bytes of answers, as JSON, stand in the status itself, before they
	// are written into a document: as much as of other lists, some 60 answers.
	keptAnswers = 16 << 10
	// mostAnswerBytes is how many may stand there while the store doesn't take them: four times as
	// much, so that a status, and the input of a shard, stay under 256 kB with all else in them.
	mostAnswerBytes = 4 * keptAnswers
	// mostAnswers is how many stand in all: one for each of 10,000 topics. Documents of so many are
	// 2.5 MB, which each shard reads when it starts.
	mostAnswers = 10_000
	// MostRateBytes is how many bytes of rates, as JSON, may be set at one time, some 100 topics:
	// with the largest plan, and all else that a status has, a payload stays under 256 kB.
	MostRateBytes = 16 << 10
	// LongHistory, in events, and longHistoryBytes are when Replicate goes on in a new run: a start
	// of four shards has some 40 events, and a worker reads so many again within a second. A
	// history that is longer by what comes until the next start stays under 10,000 events and
	// 10 MB.
	LongHistory      = 4000
	longHistoryBytes = 4 << 20
)

// SizeOf is how many bytes a value has as JSON.
func SizeOf(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0 // whoever sends it says why
	}
	return len(b)
}

// roomFor refuses an answer for which there is no room.
func (r *replication) roomFor(ctx workflow.Context, a api.LaneAnswer) error {
	n := r.Status.EarlierAnswers.Len() + len(r.Status.Answers)
	if n >= mostAnswers && change.Made(ctx, change.AnswersKept) {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: %d answers stand, at most "+
			"are %d: go back, and start a migration whose plan leaves these topics out",
			api.AnswerName, n, mostAnswers), activities.RefusedType, nil)
	}
	with := api.StandingAnswers(slices.Clone(r.Status.Answers), a)
	if r.Bounded && SizeOf(with) > mostAnswerBytes && change.Made(ctx, change.AnswersKept) {
		return temporal.NewApplicationError(fmt.Sprintf("%s: nothing was changed: the %d answers "+
			"before it couldn't be written into the workers' store yet: see to it "+
			"(ROCKETSHIFT_STORE), then say it again", api.AnswerName, len(r.Status.Answers)), activities.NotReadyType)
	}
	return nil
}

// setRate takes a rate in place of the last one of the same topic, or of all: no other counts.
func (r *replication) setRate(ctx workflow.Context, c api.RateChange) error {
	rates := slices.Clone(r.Status.Rates)
	same := func(o api.RateChange) bool { return o.Topic == c.Topic }
	if i := slices.IndexFunc(rates, same); i >= 0 {
		rates[i] = c
	} else {
		rates = append(rates, c)
	}
	if r.Bounded && SizeOf(rates) > MostRateBytes {
		// those that were lifted bound nothing
		rates = slices.DeleteFunc(rates, func(o api.RateChange) bool {
			return o.Topic != "" && o.Messages == 0 && o.Bytes == 0
		})
	}
	if r.Bounded && SizeOf(rates) > MostRateBytes && change.Made(ctx, change.RatesBounded) {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: nothing was changed: rates of "+
			"%d topics stand, and no more fit: lift one (0 messages, 0 bytes), give shorter "+
			"reasons, or bound all topics together", api.SetRateName, len(r.Status.Rates)), activities.RefusedType, nil)
	}
	r.Status.Rates = rates
	return nil
}

// keepAnswers writes answers into a document when they are many. Lanes don't wait for a store that
// doesn't answer: it is tried again when they start again.
func (r *replication) keepAnswers(ctx workflow.Context) {
	if !r.Bounded || SizeOf(r.Status.Answers) <= keptAnswers || !change.Made(ctx, change.AnswersKept) {
		return
	}
	answers := slices.Clone(r.Status.Answers)
	request := activities.KeepAnswersRequest{
		Request: r.Request(), Earlier: r.Status.EarlierAnswers, Answers: answers,
	}
	var acts *activities.Replication
	var kept api.List[api.LaneAnswer]
	summary := fmt.Sprintf("keep %d answers", len(answers))
	if err := workflow.ExecuteActivity(call.Within(ctx, knowLimit, summary), acts.KeepAnswers,
		request).Get(ctx, &kept); err != nil {
		r.Note(ctx, "%s: %s", summary, call.RootMessage(err))
		return
	}
	r.Status.EarlierAnswers = kept
	// those that came meanwhile stand
	r.Status.Answers = slices.DeleteFunc(slices.Clone(r.Status.Answers),
		func(a api.LaneAnswer) bool { return slices.Contains(answers, a) })
	r.Publish(ctx)
}

// isLong reports whether the lanes start again in a new run, as this one's history is long.
func (s *supervisor) isLong(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	long := info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= LongHistory ||
		info.GetCurrentHistorySize() >= longHistoryBytes
	return long && s.Bounded && change.Made(ctx, change.NewRun)
}

// inNewRun ends this run, and goes on in another with what was decided so far. What was said
// before is taken first.
func (r *replication) inNewRun(ctx workflow.Context) error {
	taken, settable := workflow.NewFuture(ctx)
	// it comes after all that wait for signals, so that none is left
	workflow.GoNamed(ctx, "what was said before is taken", func(ctx workflow.Context) {
		settable.Set(nil, workflow.Await(ctx, func() bool {
			return r.Taking == 0 && workflow.AllHandlersFinished(ctx)
		}))
	})
	if err := taken.Get(ctx, nil); err != nil {
		return err
	}
	if r.Stopped || r.Back != nil {
		return nil
	}
	return workflow.NewContinueAsNewError(ctx, api.ReplicateType, api.MigrationInput{
		Plan: r.Plan, PlanHash: r.Status.PlanHash, Inventory: &r.inventory,
		Answers: r.Status.Answers, EarlierAnswers: r.Status.EarlierAnswers,
		Rates: r.Status.Rates, Copied: r.Status.Copied,
	})
}
