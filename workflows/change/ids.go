package change

import "go.temporal.io/sdk/workflow"

// Ids of changes of what workflows command, by the day of the change. A run that was at such a
// place before the change goes on as it began; one that comes there for the first time does the new
// thing. An id goes away with the last run that is older than it.
const (
	// BackTwice: `back` while Rollback runs or is held changes nothing but a hold, and a
	// rollback that ended before it was done is tried again.
	BackTwice = "2026-11-29 back during a rollback"
	// HealthyFirst: what opens groups again opens them on the source first, whatever the
	// target does; a move has a fence budget; only groups that the migration fenced are opened.
	HealthyFirst = "2026-11-29 healthy side first"
	// Cancel: a stage that was cancelled or terminated holds the migration; a cancelled
	// migration goes back before it ends.
	Cancel = "2026-11-29 cancel goes back"
	// Services: Replicate and SyncOffsets are started again by the migration, and end only
	// when they are told to.
	Services = "2026-11-29 services stay"
	// ProveEach: lanes are proven before each step by gateways, not before the first alone.
	ProveEach = "2026-11-29 lanes before each step"
	// Question: a question stands while its evidence is measured again.
	Question = "2026-11-29 questions stand"
	// IDs: a workflow with another id than its migration's name and its type make is refused.
	IDs = "2026-11-29 fixed ids"
	// WaitForEnd: the end of an activity that is cancelled is waited for.
	WaitForEnd = "2026-11-29 wait for the end"
	// Pending: while a rollback asks what to do with a rest, an activity watches for its end.
	Pending = "2026-11-29 rest is watched"
	// Behind: a way back asks applications that have left the gateways to return.
	Behind = "2026-11-30 back behind gateways"
	// Handed: who approves waits for the word of the stage that the approval is handed on to.
	Handed = "2026-11-30 word of the stage"
	// Stranded: who starts frees the groups that a move which was cut off left closed on both
	// sides, before anything else.
	Stranded = "2026-11-30 stranded groups"
	// Look: whether a way back needs Rollback is read from the brokers.
	Look = "2026-11-29 look before back"
	// Bounded: what is long stands in documents, long lists are worked on in parts, stages
	// tell their migration what has changed alone. A run is of one kind from its beginning.
	Bounded = "2026-11-30 bounded payloads"
	// HoldShown: a hold stands on the page as soon as it is said, and `back` lifts it.
	HoldShown = "2026-11-30 holds are shown"
	// RestStands: a question about a rest stands while the rest doesn't grow.
	RestStands = "2026-11-30 rests stand"
	// LanesKnown: what is said about topics and queues that no lane reads is refused.
	LanesKnown = "2026-11-30 lanes are known"
	// Soak: the soak of a step behind gateways needs messages, and compares their share with
	// the step.
	Soak = "2026-11-30 soaks need messages"
	// Plan: plans are checked and completed by an activity, not when an input is read.
	Plan = "2026-11-30 plans are checked"
	// Verdicts: what is decided by rules and by the form of evidence is on record.
	Verdicts = "2026-11-30 verdicts are recorded"
	// Patience: nobody waits for the end of a wait for others that was cancelled.
	Patience = "2026-11-30 patient waits"
	// ReleasedNow: a word of the pipeline without names counts for what is asked when it is
	// said.
	ReleasedNow = "2026-11-30 released what is asked"
	// Forward: what was said while a stage was being started is said to it when it has begun.
	Forward = "2026-11-30 stages hear what stands"
	// Late: fences that a terminated Shift set late are looked for.
	Late = "2026-11-30 late fences"
	// Alone: a stage that was started alone and moves applications doesn't end as rolled
	// back.
	Alone = "2026-11-30 no rollback alone"
	// Unknown: a run that has assessed nothing starts no lanes to go back.
	Unknown = "2026-11-30 unknown holds"
	// Leave: the question whether a rest stays on the target has a gate of its own.
	Leave = "2026-11-30 leave"
	// Heard: back is heard while a stage that moves applications finds its way, and while
	// what a question shows is measured.
	Heard = "2026-11-30 back is heard while measuring"
	// WholeFence: the fence budget bounds the first step of a move too, and a target that
	// died isn't asked before the source is opened.
	WholeFence = "2026-11-30 whole fences are bounded"
	// Refusal: a target that refuses counts as one that doesn't answer.
	Refusal = "2026-11-30 refusing targets"
	// ForgetLast: marks of fences stay until nothing is to come from the target.
	ForgetLast = "2026-11-30 marks go last"
	// Watch: the target is watched while applications are there.
	Watch = "2026-11-30 targets are watched"
	// Kept: an approval counts that comes while what it is for is measured again.
	Kept = "2026-11-30 approvals are kept"
	// Undone: a return that was undone by opening the source goes on without the target.
	Undone = "2026-11-30 undone without the target"
	// LeftAsking: a Shift that is cancelled while it asks for applications waits for nobody.
	LeftAsking = "2026-11-30 cancelled stages ask nobody"
	// LeftFinalize: Finalize of an earlier run is cancelled, too.
	LeftFinalize = "2026-11-30 finalize of earlier runs"
	// Lost: a person may end the way back without a target that is gone for good.
	Lost = "2026-11-30 lost targets"
	// WithoutTarget: gateways return everything without a target that doesn't answer.
	WithoutTarget = "2026-11-30 gateways return without the target"
	// Bypassed: people are asked for exactly those applications that hold up a move by
	// gateways, and for all before a way back from the end phase.
	Bypassed = "2026-11-30b bypassing applications are asked for"
	// Reached: steps behind gateways that an earlier run has made aren't made again.
	Reached = "2026-11-30b steps that stand"
	// CalledBack: a way back in mode release calls back whoever was asked to move.
	CalledBack = "2026-11-30c called back"
	// OldWaits: waits get cheaper when they are old.
	OldWaits = "2026-11-30b old waits"
	// Ordered: the move of ordered topics waits for their producers by looks alone, and its
	// end is waited for when it is cancelled.
	Ordered = "2026-11-30b ordered waits"
	// HeldSoak: a soak that doesn't pass is a wait like others.
	HeldSoak = "2026-11-30b held soaks"
	// AnswersKept: answers to faults of lanes stand in a document when they are many.
	AnswersKept = "2026-11-30e answers in documents"
	// RatesBounded: rates for which there is no room are refused.
	RatesBounded = "2026-11-30e rates are bounded"
	// ClosedKept: groups that others closed stand in documents when they are many.
	ClosedKept = "2026-11-30e closed groups in documents"
	// Between: a move of groups may be held between two batches.
	Between = "2026-11-30e holds between batches"
	// LeftShown: groups that a move which was cut off left asked to move are on the page.
	LeftShown = "2026-11-30e groups left asked"
	// LeftKept: such groups stay on the page when the Shift is tried again.
	LeftKept = "2026-11-30f groups left asked are kept"
	// Owed: brokers of the source that were missing when fences were lifted are waited for.
	Owed = "2026-11-30f owed brokers"
	// Reset: a stage that was reset opens what its run before had fenced, and a migration
	// that was reset during Assess is held by it.
	Reset = "2026-11-30f reset stages"
	// BackFirst: back that comes while a stage fails isn't held by that.
	BackFirst = "2026-11-30f back before holds"
	// OneHold: the hold of a person goes off the page when a stage fails, or the migration is
	// cancelled, under it.
	OneHold = "2026-11-30f one hold"
	// BothServices: a way back starts SyncOffsets too, if it was said before that had begun.
	BothServices = "2026-11-30e both services go back"
	// NewRun: Replicate goes on in a new run when its history has become long.
	NewRun = "2026-11-30e new runs of lanes"
	// LargeChunks: topics and groups are made a thousand at a time.
	LargeChunks = "2026-11-30g large chunks of metadata"
)

// Made reports whether this run does the new thing.
func Made(ctx workflow.Context, id string) bool {
	return workflow.GetVersion(ctx, id, workflow.DefaultVersion, 1) >= 1
}
