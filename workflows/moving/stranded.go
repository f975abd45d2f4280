package moving

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/stage"
)

// FreeStranded opens groups again that a move which was cut off left without messages, on the side
// on which they read before it. It comes before anything else, as nobody can read meanwhile; what
// it can't do is noted, and left to a move of the groups or to Rollback. It reports whether the
// target didn't answer though it was waited for: then what it needs is owed to it.
func (m *Mover) FreeStranded(ctx workflow.Context) (away bool) {
	if change.Made(ctx, change.CalledBack) {
		return m.FreeThose(ctx, m.LeaveAsked)
	}
	return m.FreeThose(ctx, m.takeBackAsked)
}

// FreeThose is FreeStranded with what is done for groups whose applications were asked to move.
func (m *Mover) FreeThose(
	ctx workflow.Context, takeBack func(workflow.Context, []string),
) (away bool) {
	if m.Plan.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return false
	}
	var returns *activities.Returns
	var found activities.Stranded
	request := activities.SurveyRequest{Request: m.Request(), Away: m.Patience()}
	err := workflow.ExecuteActivity(call.Within(ctx, 2*m.Plan.Shift.FenceLimit(),
		"groups that a move left without messages"), returns.Stranded, request).Get(ctx, &found)
	if err != nil {
		m.Note(ctx, "whether a move left groups without messages isn't known: %s", call.RootMessage(err))
		return false
	}
	groups := activities.GroupsRequest{Request: m.Request(), Side: api.Target}
	if groups.Groups = api.Some(found.Target...); len(found.Target) > 0 {
		var traffic *activities.Traffic
		open := call.New("open on the target again: "+lists.Short(found.Target), traffic.Unfence, groups)
		if err := open.Run(call.IfItAnswers(ctx, m.Plan.Shift.FenceLimit(), open.Summary)); err != nil {
			m.Note(ctx, "%s: %s", open.Summary, call.RootMessage(err))
		} else {
			m.Note(ctx, "a move was cut off: %s read the target again", lists.Short(found.Target))
		}
	}
	if len(found.Source) > 0 && !found.Away {
		m.Note(ctx, "a move was cut off: %s read the source again", lists.Short(found.Source))
		m.UndoFence(ctx, found.Source, false)
	}
	if len(found.Source) > 0 && found.Away && m.Status.Type != api.RollbackType {
		m.liftCutOff(ctx, found.Source)
	}
	if len(found.Asked) > 0 {
		takeBack(ctx, found.Asked)
	}
	return found.Away
}

// WasReset reports whether this run was begun by a reset, before this place. What the run before it
// was at nobody undoes, and a question that it had passed may be asked again, for days.
func (m *Mover) WasReset(ctx workflow.Context) (reset bool) {
	if m.Plan.Traffic.Mode == plan.ModeGateway || !change.Made(ctx, change.Reset) {
		return false
	}
	err := workflow.SideEffect(ctx, func(ctx workflow.Context) any {
		run := workflow.GetInfo(ctx)
		return run.OriginalRunID != "" && run.OriginalRunID != run.WorkflowExecution.RunID
	}).Get(&reset)
	return err == nil && reset
}

// FreeLate looks once more when activities of a stage that was terminated, or reset, can't write
// any more: they learn of it with their next heartbeat.
func (m *Mover) FreeLate(ctx workflow.Context) {
	if !change.Made(ctx, change.Late) {
		return
	}
	m.Detail(ctx, "waits for the end of what a terminated stage began")
	if _, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      2 * call.QuickHeartbeat,
		TimerOptions: workflow.TimerOptions{Summary: "activities of the terminated stage end"},
	}, func() bool { return m.Back != nil }); err == nil && m.Back == nil {
		m.FreeStranded(ctx)
	}
}

// takeBackAsked is of runs that are older than change.CalledBack: it asked for applications that
// are on their way, and forgot the groups when none had arrived yet.
func (m *Mover) takeBackAsked(ctx workflow.Context, groups []string) {
	if !m.liftCutOff(ctx, groups) {
		return
	}
	err := m.CloseOnTarget(ctx, groups)
	if err == nil { // nobody has read there, so nothing is to come back
		err = m.ForgetFences(ctx, groups)
	}
	if err != nil { // the mark on the source says what is owed
		m.Note(ctx, "%s aren't known to have left the target: %s", lists.Short(groups), call.RootMessage(err))
	}
}

// LeaveAsked opens groups on the source whose applications were asked to move and haven't. The mark
// on the source says what is owed, and whoever comes next asks for applications that are on their
// way.
func (m *Mover) LeaveAsked(ctx workflow.Context, groups []string) {
	if !change.Made(ctx, change.LeftAsking) {
		m.takeBackAsked(ctx, groups)
		return
	}
	if !m.liftCutOff(ctx, groups) {
		return
	}
	m.sayLeft(ctx, groups)
	var traffic *activities.Traffic
	shut := call.New("close on the target: "+lists.Short(groups), traffic.Fence, activities.GroupsRequest{
		Request: m.Request(), Side: api.Target, Groups: api.Some(groups...),
	})
	if err := shut.Run(call.IfItAnswers(ctx, m.Plan.Shift.FenceLimit(), shut.Summary)); err != nil {
		m.Note(ctx, "owed to the target: %s: %s", shut.Summary, call.RootMessage(err))
	}
}

// liftCutOff opens groups on the source. Their mark there stands until the target is as it was.
func (m *Mover) liftCutOff(ctx workflow.Context, groups []string) bool {
	var traffic *activities.Traffic
	request := activities.GroupsRequest{
		Request: m.Request(), Side: api.Source, Ours: true,
		Groups: api.Some(groups...),
	}
	lift := call.New("lift the fence on the source: "+lists.Short(groups), traffic.Unfence, request)
	if err := lift.Run(call.Quick(ctx, lift.Summary)); err != nil {
		m.Note(ctx, "%s: %s", lift.Summary, call.RootMessage(err))
		return false
	}
	m.lookForMissing(ctx)
	m.Note(
		ctx,
		"a move was cut off: %s read the source again; applications that have moved return",
		lists.Short(groups),
	)
	return true
}

// sayLeft tells of such groups. A stage that ends tells its migration before that.
func (m *Mover) sayLeft(ctx workflow.Context, groups []string) {
	if m.Status.Type == api.RollbackType || !change.Made(ctx, change.LeftShown) { // it calls them back
		return
	}
	m.Status.LeftAsked = slices.Clone(groups[:min(len(groups), stage.BatchSize)])
	m.Publish(ctx)
	m.AwaitTold(ctx)
}
