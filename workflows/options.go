package workflows

import (
	"sync/atomic"
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
	// quickTimeout bounds one activity that talks to every broker of a side a few times; a dead
	// broker costs 3 s to dial.
	quickTimeout = 2 * time.Minute
	// quickHeartbeat finds a dead worker: the worker beats for these activities by itself. A fenced
	// group waits no longer than this.
	quickHeartbeat = 10 * time.Second
	// waitTimeout bounds one attempt of a wait for others: ten minutes of looks, and the last of
	// them (activities.lookTime). Each attempt costs an action. It is also how late a wait goes on
	// whose worker was killed.
	waitTimeout = 12 * time.Minute
	// patientAfter is when a wait counts as a long one: most are over before, and cost some 40
	// actions until then.
	patientAfter = 2 * time.Minute
	// oldAfter is when a wait counts as an old one: few that take so long end within the next hour.
	oldAfter = time.Hour
	// oldTimeout bounds an attempt of an old wait, 45 minutes of looks and the last of them, so
	// that a day costs 32 actions: four shards of lanes and the positions take 780 of 1,000, and a
	// wave has three waits. It is also how late one goes on whose worker was killed, and not
	// stopped; nobody is refused meanwhile.
	oldTimeout = 47 * time.Minute
	// waitHeartbeat finds a dead worker sooner while groups are fenced, or ordered topics closed:
	// somebody must see that the target dies, or that producers have left. It costs 75 actions an
	// hour, so that an old wait has none: then that is seen up to waitTimeout later if the worker
	// was killed before.
	waitHeartbeat = time.Minute
	// longestTries is what the time grows to in which an activity is tried before its error is put
	// on the page again: each time costs some eight events, and a month has to stay under 10,000.
	longestTries = time.Hour
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
	// evidenceLife is how long a person may take to answer before the evidence is measured again.
	evidenceLife = time.Hour
	// evidenceLongest is what that grows to while nobody answers, doubling: a measurement has some
	// 16 events, and a month of a question has to stay under 10,000.
	evidenceLongest = 4 * time.Hour
	// longestWait re-arms the timer of a wait without a deadline; a day costs one action.
	longestWait = 24 * time.Hour
	// reportPatience is how long a full disk may delay the end of a migration; the result holds the
	// same facts.
	reportPatience = 10 * time.Minute
	// callBackTime is for how long a way back waits for the word that no release
	// brings applications to the target any more. Nobody is hurt meanwhile, as both sides serve; a
	// stock client that is being restarted shows within it.
	callBackTime = time.Minute
	// ledgerFirst and ledgerMax space the ledger's measurements: quick while somebody watches, rare
	// over days.
	ledgerFirst = 5 * time.Second
	ledgerMax   = time.Hour
	// restLife is how long a rest may be accepted that doesn't grow: time to read it and to ask who
	// is concerned, although it is measured every few seconds at first.
	restLife = 15 * time.Minute
	// soakFirst and soakMax space the counts of messages after a soak that leaves a doubt: the
	// first message ends it, and a count of 10,000 queues takes a minute. Each costs three actions,
	// which makes 144 a day in the end.
	soakFirst = 10 * time.Second
	soakMax   = 30 * time.Minute
	// knowLimit bounds the look at brokers before an answer or a rate is taken. It is less than
	// what the CLI waits for the answer (15 s), or that would leave the message a second time.
	knowLimit = 10 * time.Second
	// serviceFirst and serviceMax space the starts of a service that ends early: a passing fault
	// costs a second, a lasting one 24 starts a day.
	serviceFirst = time.Second
	serviceMax   = time.Hour
	// serviceSteady is how long a service must have stood before the next fault counts as its
	// first: one that dies every minute costs twenty events of the history each time.
	serviceSteady = 10 * time.Minute
	// serviceProof is how long a service must stand to count as running again: one that can't work
	// fails within seconds.
	serviceProof = 30 * time.Second
)

// registered says that the worker could register the search attributes; a run asks once and records
// the answer.
var registered atomic.Bool

// UseSearchAttributes is called by the worker before it polls. Without it workflows run, but can't
// be searched by stage.
func UseSearchAttributes(ok bool) { registered.Store(ok) }

func attributesRegistered() bool { return registered.Load() }

func retryForEver() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: quickBackoff}
}

// quick is for activities that read or write brokers and answer in seconds, and for waits under a
// fence. When they are cancelled their end is waited for, so that no undo overtakes what it
// undoes: the worker learns of it within a heartbeat, and a dead one is missed after that.
func quick(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: quickTimeout, HeartbeatTimeout: quickHeartbeat,
		RetryPolicy: retryForEver(), Summary: summary,
		WaitForCancellation: change.Made(ctx, change.WaitForEnd),
	})
}

// within is quick for what may not take longer than a limit, tries and pauses together: groups wait
// for it. Its error is the last try's.
func within(ctx workflow.Context, limit time.Duration, summary string) workflow.Context {
	return workflow.WithScheduleToCloseTimeout(quick(ctx, summary), limit)
}

// ifItAnswers is within for what is owed to the target when it doesn't answer: the first answer
// that says so ends it, as applications wait for what comes next.
func ifItAnswers(ctx workflow.Context, limit time.Duration, summary string) workflow.Context {
	return untilAway(within(ctx, limit, summary))
}

// untilAway has the first answer that the target doesn't answer end an activity.
func untilAway(ctx workflow.Context) workflow.Context {
	policy := retryForEver()
	policy.NonRetryableErrorTypes = []string{activities.TargetUnreachableType}
	return workflow.WithRetryPolicy(ctx, *policy)
}

// patient is for waits for people, pipelines and slow lanes: they cost little however long they
// take. They only look, so that nobody waits for their end: not `back` either, if their worker is
// dead. Workers learn by looking at the workflow that a wait is cancelled; that costs no action.
func patient(ctx workflow.Context, summary string) workflow.Context {
	if !change.Made(ctx, change.Patience) {
		return quick(ctx, summary)
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: waitTimeout,
		RetryPolicy: retryForEver(), Summary: summary,
	})
}

// patientFor is patient where groups are fenced as long as the target answers, so that away isn't
// 0.
func patientFor(ctx workflow.Context, away time.Duration, summary string) workflow.Context {
	ctx = patient(ctx, summary)
	if away > 0 && change.Made(ctx, change.Patience) {
		ctx = workflow.WithHeartbeatTimeout(ctx, waitHeartbeat)
	}
	return ctx
}

// minutes is for starting a target, and for counting the messages of thousands of queues.
func minutes(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: purchaseTimeout, HeartbeatTimeout: heartbeatOfMinutes,
		RetryPolicy: retryForEver(), Summary: summary,
		WaitForCancellation: change.Made(ctx, change.WaitForEnd),
	})
}

// long is for the data plane: it beats with the plan's heartbeat, and its end is waited for, so
// that nothing writes afterwards.
func long(ctx workflow.Context, p plan.Plan, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.DataTaskQueue, StartToCloseTimeout: forDays,
		HeartbeatTimeout: time.Duration(p.Replicate.Heartbeat), RetryPolicy: retryForEver(),
		WaitForCancellation: true, Summary: summary,
	})
}

// syncing is long for positions.
func syncing(ctx workflow.Context, p plan.Plan, summary string) workflow.Context {
	return workflow.WithHeartbeatTimeout(long(ctx, p, summary),
		syncShare*time.Duration(p.Replicate.Heartbeat))
}

// comparing is for the comparison of lanes. It takes minutes or hours, its heartbeat is where
// another worker goes on, and people wait for its end: so it beats more often than lanes do, which
// run for days.
func comparing(ctx workflow.Context, p plan.Plan, summary string) workflow.Context {
	p.Replicate.Heartbeat = min(p.Replicate.Heartbeat, plan.Duration(heartbeatOfMinutes))
	return long(ctx, p, summary)
}

// stage is for children: their undo runs when the parent is cancelled or ends.
func stage(ctx workflow.Context, id, summary string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: api.ControlTaskQueue, WaitForCancellation: true, StaticSummary: summary,
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
	})
}

// lasting is for Replicate and SyncOffsets: they go on when the migration is cancelled or
// terminated, until they are told to stop.
func lasting(ctx workflow.Context, id, summary string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: api.ControlTaskQueue, WaitForCancellation: true,
		StaticSummary:     summary,
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
	})
}

// reporting is for the last write of a migration, which must not keep it open for ever.
func reporting(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: api.ControlTaskQueue, StartToCloseTimeout: quickTimeout, ScheduleToCloseTimeout: reportPatience,
		RetryPolicy: retryForEver(), Summary: "write the report",
	})
}
