package call

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/change"
)

const (
	// QuickTimeout bounds one activity that talks to every broker of a side a few times; a dead
	// broker costs 3 s to dial.
	QuickTimeout = 2 * time.Minute
	// QuickHeartbeat finds a dead worker: the worker beats for these activities by itself. A fenced
	// group waits no longer than this.
	QuickHeartbeat = 10 * time.Second
	// WaitTimeout bounds one attempt of a wait for others: ten minutes of looks, and the last of
	// them (activities.lookTime). Each attempt costs an action. It is also how late a wait goes on
	// whose worker was killed.
	WaitTimeout = 12 * time.Minute
	// PatientAfter is when a wait counts as a long one: most are over before, and cost some 40
	// actions until then.
	PatientAfter = 2 * time.Minute
	// OldAfter is when a wait counts as an old one: few that take so long end within the next hour.
	OldAfter = time.Hour
	// oldTimeout bounds an attempt of an old wait, 45 minutes of looks and the last of them, so
	// that a day costs 32 actions: four shards of lanes and the positions take 780 of 1,000, and a
	// wave has three waits. It is also how late one goes on whose worker was killed, and not
	// stopped; nobody is refused meanwhile.
	oldTimeout = 47 * time.Minute
	// WaitHeartbeat finds a dead worker sooner while groups are fenced, or ordered topics closed:
	// somebody must see that the target dies, or that producers have left. It costs 75 actions an
	// hour, so that an old wait has none: then that is seen up to WaitTimeout later if the worker
	// was killed before.
	WaitHeartbeat = time.Minute
	// LongestTries is what the time grows to in which an activity is tried before its error is put
	// on the page again: each time costs some eight events, and a month has to stay under 10,000.
	LongestTries = time.Hour
	// quickBackoff caps the pause between tries: a source that returns is noticed within ten
	// seconds.
	quickBackoff = 10 * time.Second
	// purchaseTimeout is how long a target may take to start; a local one takes 20 s, a bought one
	// minutes.
	purchaseTimeout = 20 * time.Minute
	// heartbeatOfMinutes finds a dead worker during activities that take minutes.
	heartbeatOfMinutes = 30 * time.Second
	// syncShare is the heartbeat of SyncOffsets as a multiple of the lanes': nothing stands still
	// while its worker is dead, as each move translates positions exactly. By default it costs 60
	// actions a day.
	syncShare = 3
	// forDays bounds Replicate and SyncOffsets, which run until the migration ends: Temporal wants
	// a number.
	forDays = 366 * 24 * time.Hour
	// reportPatience is how long a full disk may delay the end of a migration; the result holds the
	// same facts.
	reportPatience = 10 * time.Minute
)

func retryForEver() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: quickBackoff}
}

// Quick is for activities that read or write brokers and answer in seconds, and for waits under a
// fence. When they are cancelled their end is waited for, so that no undo overtakes what it
// undoes: the worker learns of it within a heartbeat, and a dead one is missed after that.
func Quick(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: QuickTimeout, HeartbeatTimeout: QuickHeartbeat,
		RetryPolicy: retryForEver(), Summary: summary,
		WaitForCancellation: change.Made(ctx, change.WaitForEnd),
	})
}

// Within is Quick for what may not take longer than a limit, tries and pauses together: groups wait
// for it. Its error is the last try's.
func Within(ctx workflow.Context, limit time.Duration, summary string) workflow.Context {
	return workflow.WithScheduleToCloseTimeout(Quick(ctx, summary), limit)
}

// IfItAnswers is Within for what is owed to the target when it doesn't answer: the first answer
// that says so ends it, as applications wait for what comes next.
func IfItAnswers(ctx workflow.Context, limit time.Duration, summary string) workflow.Context {
	return UntilAway(Within(ctx, limit, summary))
}

// UntilAway has the first answer that the target doesn't answer end an activity.
func UntilAway(ctx workflow.Context) workflow.Context {
	policy := retryForEver()
	policy.NonRetryableErrorTypes = []string{activities.TargetUnreachableType}
	return workflow.WithRetryPolicy(ctx, *policy)
}

// UntilLost has the first answer that a document of the store is lost end an activity, whose caller
// measures anew.
func UntilLost(ctx workflow.Context) workflow.Context {
	policy := retryForEver()
	policy.NonRetryableErrorTypes = []string{activities.DocumentMissingType}
	return workflow.WithRetryPolicy(ctx, *policy)
}

// Patient is for waits for people, pipelines and slow lanes: they cost little however long they
// take. They only look, so that nobody waits for their end: not `back` either, if their worker is
// dead. Workers learn by looking at the workflow that a wait is cancelled; that costs no action.
func Patient(ctx workflow.Context, summary string) workflow.Context {
	if !change.Made(ctx, change.Patience) {
		return Quick(ctx, summary)
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: WaitTimeout,
		RetryPolicy: retryForEver(), Summary: summary,
	})
}

// PatientFor is Patient where groups are fenced as long as the target answers, so that away isn't
// 0.
func PatientFor(ctx workflow.Context, away time.Duration, summary string) workflow.Context {
	ctx = Patient(ctx, summary)
	if away > 0 && change.Made(ctx, change.Patience) {
		ctx = workflow.WithHeartbeatTimeout(ctx, WaitHeartbeat)
	}
	return ctx
}

// Minutes is for starting a target, and for counting the messages of thousands of queues.
func Minutes(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: purchaseTimeout, HeartbeatTimeout: heartbeatOfMinutes,
		RetryPolicy: retryForEver(), Summary: summary,
		WaitForCancellation: change.Made(ctx, change.WaitForEnd),
	})
}

// Lanes is for the data plane: it beats with the plan's heartbeat, and its end is waited for, so
// that nothing writes afterwards.
func Lanes(ctx workflow.Context, p plan.Plan, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.DataTaskQueue, StartToCloseTimeout: forDays,
		HeartbeatTimeout: time.Duration(p.Replicate.Heartbeat), RetryPolicy: retryForEver(),
		WaitForCancellation: true, Summary: summary,
	})
}

// Syncing is Lanes for positions.
func Syncing(ctx workflow.Context, p plan.Plan, summary string) workflow.Context {
	return workflow.WithHeartbeatTimeout(Lanes(ctx, p, summary),
		syncShare*time.Duration(p.Replicate.Heartbeat))
}

// Comparing is for the comparison of lanes. It takes minutes or hours, its heartbeat is where
// another worker goes on, and people wait for its end: so it beats more often than lanes do, which
// run for days.
func Comparing(ctx workflow.Context, p plan.Plan, summary string) workflow.Context {
	p.Replicate.Heartbeat = min(p.Replicate.Heartbeat, plan.Duration(heartbeatOfMinutes))
	return Lanes(ctx, p, summary)
}

// Child is for children: their undo runs when the parent is cancelled or ends.
func Child(ctx workflow.Context, id, summary string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: api.ControlTaskQueue, WaitForCancellation: true, StaticSummary: summary,
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
	})
}

// LastingChild is for Replicate and SyncOffsets: they go on when the migration is cancelled or
// terminated, until they are told to stop.
func LastingChild(ctx workflow.Context, id, summary string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: api.ControlTaskQueue, WaitForCancellation: true,
		StaticSummary:     summary,
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
	})
}

// Reporting is for the last write of a migration, which must not keep it open for ever.
func Reporting(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: QuickTimeout, ScheduleToCloseTimeout: reportPatience,
		RetryPolicy: retryForEver(), Summary: "write the report",
	})
}
