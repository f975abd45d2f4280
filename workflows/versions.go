package workflows

import "go.temporal.io/sdk/workflow"

// Ids of changes of what workflows command, by the day of the change. A run that was at such a
// place before the change goes on as it began; one that comes there for the first time does the new
// thing. An id goes away with the last run that is older than it.
const (
	// changeBackTwice: `back` while Rollback runs or is held changes nothing but a hold, and a
	// rollback that ended before it was done is tried again.
	changeBackTwice = "2026-11-29 back during a rollback"
	// changeHealthyFirst: what opens groups again opens them on the source first, whatever the
	// target does; a move has a fence budget; only groups that the migration fenced are opened.
	changeHealthyFirst = "2026-11-29 healthy side first"
	// changeCancel: a stage that was cancelled or terminated holds the migration; a cancelled
	// migration goes back before it ends.
	changeCancel = "2026-11-29 cancel goes back"
	// changeServices: Replicate and SyncOffsets are started again by the migration, and end only
	// when they are told to.
	changeServices = "2026-11-29 services stay"
	// changeProveEach: lanes are proven before each step by gateways, not before the first alone.
	changeProveEach = "2026-11-29 lanes before each step"
	// changeQuestion: a question stands while its evidence is measured again.
	changeQuestion = "2026-11-29 questions stand"
	// changeIDs: a workflow with another id than its migration's name and its type make is refused.
	changeIDs = "2026-11-29 fixed ids"
	// changeWaitForEnd: the end of an activity that is cancelled is waited for.
	changeWaitForEnd = "2026-11-29 wait for the end"
	// changePending: while a rollback asks what to do with a rest, an activity watches for its end.
	changePending = "2026-11-29 rest is watched"
	// changeBehind: a way back asks applications that have left the gateways to return.
	changeBehind = "2026-11-30 back behind gateways"
	// changeHanded: who approves waits for the word of the stage that the approval is handed on to.
	changeHanded = "2026-11-30 word of the stage"
	// changeStranded: who starts frees the groups that a move which was cut off left closed on both
	// sides, before anything else.
	changeStranded = "2026-11-30 stranded groups"
	// changeLook: whether a way back needs Rollback is read from the brokers.
	changeLook = "2026-11-29 look before back"
	// changeBounded: what is long stands in documents, long lists are worked on in parts, stages
	// tell their migration what has changed alone. A run is of one kind from its beginning.
	changeBounded = "2026-11-30 bounded payloads"
	// changeHoldShown: a hold stands on the page as soon as it is said, and `back` lifts it.
	changeHoldShown = "2026-11-30 holds are shown"
	// changeRestStands: a question about a rest stands while the rest doesn't grow.
	changeRestStands = "2026-11-30 rests stand"
	// changeLanesKnown: what is said about topics and queues that no lane reads is refused.
	changeLanesKnown = "2026-11-30 lanes are known"
	// changeSoak: the soak of a step behind gateways needs messages, and compares their share with
	// the step.
	changeSoak = "2026-11-30 soaks need messages"
	// changePlan: plans are checked and completed by an activity, not when an input is read.
	changePlan = "2026-11-30 plans are checked"
	// changeVerdicts: what is decided by rules and by the form of evidence is on record.
	changeVerdicts = "2026-11-30 verdicts are recorded"
	// changePatience: nobody waits for the end of a wait for others that was cancelled.
	changePatience = "2026-11-30 patient waits"
	// changeReleasedNow: a word of the pipeline without names counts for what is asked when it is
	// said.
	changeReleasedNow = "2026-11-30 released what is asked"
	// changeForward: what was said while a stage was being started is said to it when it has begun.
	changeForward = "2026-11-30 stages hear what stands"
	// changeLate: fences that a terminated Shift set late are looked for.
	changeLate = "2026-11-30 late fences"
	// changeAlone: a stage that was started alone and moves applications doesn't end as rolled
	// back.
	changeAlone = "2026-11-30 no rollback alone"
	// changeUnknown: a run that has assessed nothing starts no lanes to go back.
	changeUnknown = "2026-11-30 unknown holds"
	// changeLeave: the question whether a rest stays on the target has a gate of its own.
	changeLeave = "2026-11-30 leave"
	// changeHeard: back is heard while a stage that moves applications finds its way, and while
	// what a question shows is measured.
	changeHeard = "2026-11-30 back is heard while measuring"
	// changeWholeFence: the fence budget bounds the first step of a move too, and a target that
	// died isn't asked before the source is opened.
	changeWholeFence = "2026-11-30 whole fences are bounded"
	// changeRefusal: a target that refuses counts as one that doesn't answer.
	changeRefusal = "2026-11-30 refusing targets"
	// changeForgetLast: marks of fences stay until nothing is to come from the target.
	changeForgetLast = "2026-11-30 marks go last"
	// changeWatch: the target is watched while applications are there.
	changeWatch = "2026-11-30 targets are watched"
	// changeKept: an approval counts that comes while what it is for is measured again.
	changeKept = "2026-11-30 approvals are kept"
	// changeUndone: a return that was undone by opening the source goes on without the target.
	changeUndone = "2026-11-30 undone without the target"
	// changeLeftAsking: a Shift that is cancelled while it asks for applications waits for nobody.
	changeLeftAsking = "2026-11-30 cancelled stages ask nobody"
	// changeLeftFinalize: Finalize of an earlier run is cancelled, too.
	changeLeftFinalize = "2026-11-30 finalize of earlier runs"
	// changeLost: a person may end the way back without a target that is gone for good.
	changeLost = "2026-11-30 lost targets"
	// changeWithoutTarget: gateways return everything without a target that doesn't answer.
	changeWithoutTarget = "2026-11-30 gateways return without the target"
	// changeBypassed: people are asked for exactly those applications that hold up a move by
	// gateways, and for all before a way back from the end phase.
	changeBypassed = "2026-11-30b bypassing applications are asked for"
	// changeReached: steps behind gateways that an earlier run has made aren't made again.
	changeReached = "2026-11-30b steps that stand"
	// changeCalledBack: a way back in mode release calls back whoever was asked to move.
	changeCalledBack = "2026-11-30c called back"
	// changeOldWaits: waits get cheaper when they are old.
	changeOldWaits = "2026-11-30b old waits"
	// changeOrdered: the move of ordered topics waits for their producers by looks alone, and its
	// end is waited for when it is cancelled.
	changeOrdered = "2026-11-30b ordered waits"
	// changeHeldSoak: a soak that doesn't pass is a wait like others.
	changeHeldSoak = "2026-11-30b held soaks"
	// changeAnswersKept: answers to faults of lanes stand in a document when they are many.
	changeAnswersKept = "2026-11-30e answers in documents"
	// changeRatesBounded: rates for which there is no room are refused.
	changeRatesBounded = "2026-11-30e rates are bounded"
	// changeClosedKept: groups that others closed stand in documents when they are many.
	changeClosedKept = "2026-11-30e closed groups in documents"
	// changeBetween: a move of groups may be held between two batches.
	changeBetween = "2026-11-30e holds between batches"
	// changeLeftShown: groups that a move which was cut off left asked to move are on the page.
	changeLeftShown = "2026-11-30e groups left asked"
	// changeLeftKept: such groups stay on the page when the Shift is tried again.
	changeLeftKept = "2026-11-30f groups left asked are kept"
	// changeOwed: brokers of the source that were missing when fences were lifted are waited for.
	changeOwed = "2026-11-30f owed brokers"
	// changeReset: a stage that was reset opens what its run before had fenced, and a migration
	// that was reset during Assess is held by it.
	changeReset = "2026-11-30f reset stages"
	// changeBackFirst: back that comes while a stage fails isn't held by that.
	changeBackFirst = "2026-11-30f back before holds"
	// changeOneHold: the hold of a person goes off the page when a stage fails, or the migration is
	// cancelled, under it.
	changeOneHold = "2026-11-30f one hold"
	// changeBothServices: a way back starts SyncOffsets too, if it was said before that had begun.
	changeBothServices = "2026-11-30e both services go back"
	// changeNewRun: Replicate goes on in a new run when its history has become long.
	changeNewRun = "2026-11-30e new runs of lanes"
)

// changed reports whether this run does the new thing.
func changed(ctx workflow.Context, id string) bool {
	return workflow.GetVersion(ctx, id, workflow.DefaultVersion, 1) >= 1
}
