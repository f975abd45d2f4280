package workflows

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/standins"
)

// path is a way through the workflows, as persons, faults and operators of Temporal make it.
type path struct {
	name string
	plan func(*plan.Plan)
	// stages whose histories are kept besides the migration's: those that the path is about
	keep []string
	play func(*played)
}

// atOnce is how many paths are played side by side: the server answers within its time on two
// cores.
const atOnce = 4

// TestLongEveryPathReplays plays every path on a real Temporal server, and replays its histories.
// With RECORD_FIXTURES (make fixtures) it writes those for TestRecordedHistoriesReplay.
func TestLongEveryPathReplays(t *testing.T) {
	labtest.Loop(t)
	s := newServer(t)
	all := slices.Concat(plainPaths(), gatewayPaths(), steeredPaths(), failedPaths(), endedPaths(), backPaths(),
		targetPaths(), servicePaths(), brokerPaths())
	slices.Reverse(all)        // the last ones take longest
	var playing sync.WaitGroup // not t.Parallel: they wait, and need no processor of their own
	turn := make(chan struct{}, atOnce)
	for _, path := range all {
		playing.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			t.Run(path.name, func(t *testing.T) {
				p := s.play(t, "played-"+path.name, path.plan)
				path.play(p)
				p.record(path)
			})
		})
	}
	playing.Wait()
}

// record replays what was played, and writes it down when that is asked for.
func (p *played) record(of path) {
	p.Helper()
	seen := map[string]bool{}
	for name, h := range p.histories("played-" + of.name) {
		requireReplays(p.T, name, h)
		keep := func(slug string) bool { return strings.HasSuffix(name, "-"+slug) }
		wanted := keep("migration")
		for _, stage := range of.keep {
			wanted = wanted || keep(slugOf(stage))
			seen[stage] = seen[stage] || keep(slugOf(stage))
		}
		if wanted && os.Getenv("RECORD_FIXTURES") != "" {
			save(p.T, filepath.Join("testdata", "replay", name+".json"), h)
		}
	}
	for _, stage := range of.keep {
		require.True(p, seen[stage], "%s has run", stage)
	}
}

// asking is a plan that asks for every approval.
func asking(p *plan.Plan) { p.Approvals = plan.Gates() }

// gateways is a plan with applications behind gateways.
func gateways(p *plan.Plan) {
	p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{"127.0.0.1:8089"}}
}

// hasty is a plan whose fences end soon, though not sooner than a busy machine plays a move.
func hasty(p *plan.Plan) { p.Shift.FenceBudget = plan.Duration(5 * time.Second) }

func plainPaths() []path {
	return []path{
		{"done", nil, []string{
			api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
			api.VerifyType, api.ShiftType, api.FinalizeType,
		}, func(p *played) { p.start(); p.ends(api.StateDone) }},
		{
			"gateway", gateways,
			[]string{api.ShiftType, api.EndPhaseType},
			func(p *played) { p.start(); p.ends(api.StateDone) },
		},
		{"back", nil, []string{api.ShiftType, api.RollbackType}, func(p *played) {
			p.backFrom("AwaitQuiet")
			p.ends(api.StateRolledBack)
		}},
		{"gateway-back", gateways, []string{api.ShiftType, api.RollbackType}, func(p *played) {
			p.backFrom("MoveHomes")()
			p.ends(api.StateRolledBack)
		}},
		{"back-early", nil, []string{api.VerifyType}, func(p *played) {
			p.backFrom("Verify")
			p.ends(api.StateRolledBack)
		}},
		{"raw", nil, []string{api.AssessType}, func(p *played) {
			p.startAs(api.MigrationType, p.plan.WorkflowID(), json.RawMessage(`{"plan": {"name": "`+p.plan.Name+`",
			  "source": {"nameServers": ["127.0.0.1:9876"]}, "target": {"provider": "local"},
			  "shift": {"soak": "1ms"}, "replicate": {"heartbeat": "2s"}, "approvals": []}}`))
			p.ends(api.StateDone)
		}},
		{"raw-refused", nil, nil, func(p *played) {
			p.startAs(api.MigrationType, p.plan.WorkflowID(),
				json.RawMessage(`{"plan": {"name": "`+p.plan.Name+`", "shift": {"stps": [7]}}}`))
			p.ends("shift.stps: unknown key")
		}},
		{"wrong-id", nil, nil, func(p *played) {
			p.startAs(api.MigrationType, "another-"+p.plan.Name, api.MigrationInput{Plan: p.plan})
			p.ends("with the id")
		}},
	}
}

// backFrom goes back while an activity waits, and returns what lets it go on.
func (p *played) backFrom(activity string) (release func()) {
	p.Helper()
	release = p.clusters.Hold(activity)
	p.start()
	p.called(activity)
	if activity == "AwaitQuiet" { // producers return
		p.steer(api.BackName)
		release()
		return release
	}
	p.steer(api.BackName)
	return release
}

func steeredPaths() []path {
	return []path{
		{"held", nil, []string{api.ShiftType}, func(p *played) {
			release := p.clusters.Hold("AwaitQuiet")
			p.start()
			p.called("AwaitQuiet")
			p.steer(api.HoldName)
			release()
			p.untilHeld()
			p.signal(api.MigrationType, api.ResumeName, api.Steering{By: "bob"})
			p.ends(api.StateDone)
		}},
		{"released", nil, []string{api.ShiftType}, func(p *played) {
			asked := func(gate string) {
				p.until("asked to move "+gate, func(s api.Status) bool {
					return slices.ContainsFunc(s.Waiting, func(w api.Waiting) bool {
						return w.Kind == api.WaitingRelease && strings.Contains(w.Gate, gate)
					})
				})
			}
			unlessSaid := func(r activities.AwaitMoveRequest) error {
				if !r.Released {
					return standins.NotYet("applications are where they were")
				}
				return nil
			}
			p.clusters.Answer(
				"AwaitMembers",
				func(_ context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
					return nil, unlessSaid(r)
				},
			)
			p.clusters.Answer("AwaitQuiet", func(_ context.Context, r activities.AwaitMoveRequest) error {
				return unlessSaid(r)
			})
			p.clusters.Answer(
				"MoveOrdered",
				func(_ context.Context, r activities.AwaitMoveRequest) (activities.OrderedMove, error) {
					return activities.OrderedMove{}, unlessSaid(r)
				},
			)
			p.start()
			asked("groups")
			require.NoError(p, p.update(p.run.GetID(), api.ReleasedName, api.Released{By: "ci"}))
			asked("producers of ordered orders")
			asked("producers of payments")
			p.signal(api.MigrationType, api.ReleasedName, api.Released{By: "ci", Topics: []string{"orders"}})
			p.signal(api.ShiftType, api.ReleasedName, api.Released{By: "ci", Topics: []string{"payments"}})
			p.ends(api.StateDone)
		}},
		{"stale-approval", asking, []string{api.PurchaseType, api.ShiftType, api.FinalizeType}, staleApprovals},
		{"answered", nil, []string{api.ReplicateType}, answeredLanes},
		{"refused-steering", nil, []string{api.ReplicateType}, func(p *played) {
			release := p.clusters.Hold("Verify")
			p.start()
			p.called("Verify")
			p.signal(api.MigrationType, api.ResumeName, api.Steering{By: "alice"})
			p.signal(api.MigrationType, api.BackName, api.Steering{})
			p.signal(api.MigrationType, api.ApproveName, api.Approval{Gate: "shift-7", By: "alice"})
			p.signal(api.MigrationType, api.ReleasedName, api.Released{By: "ci"})
			p.signal(api.ReplicateType, api.HoldName, api.Steering{By: "alice"})
			p.signal(api.ReplicateType, api.AnswerName, api.LaneAnswer{By: "alice"})
			p.until("refusals are noted", func(s api.Status) bool { return len(s.Notes) >= 6 })
			release()
			p.ends(api.StateDone)
		}},
	}
}

// staleApprovals answers evidence that isn't shown any more, before what is shown.
func staleApprovals(p *played) {
	rest := int64(3)
	p.clusters.Answer("Ledger", func(context.Context, activities.Request) (api.Ledger, error) {
		rest--
		return api.Ledger{
			Rest: rest + 1, Rows: api.Some(api.LedgerRow{Kind: "delayed", Object: "broker-a", Rest: rest + 1}),
		}, nil
	})
	p.start()
	p.asked("purchase")
	require.NoError(p, p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: "purchase", By: "alice"}))
	p.asked("shift-100")
	require.Error(p,
		p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: "shift-100", By: "alice", Evidence: "old"}))
	p.signal(api.MigrationType, api.ApproveName, api.Approval{Gate: "shift-100", By: "alice", PlanHash: "old"})
	p.signal(api.ShiftType, api.ApproveName, api.Approval{Gate: "shift-100", By: "alice", Evidence: "old"})
	p.until("both are refused", func(s api.Status) bool { return len(s.Notes) >= 2 })
	p.signal(api.MigrationType, api.ApproveName, api.Approval{Gate: "shift-100", By: "bob"})
	first := p.asked("finalize")
	p.until("the evidence has expired", func(s api.Status) bool {
		now, asked := message.WaitingApproval(s, "finalize")
		return asked && now.Evidence != first.Evidence
	})
	p.signal(api.MigrationType, api.ApproveName, api.Approval{Gate: "finalize", By: "alice", Evidence: first.Evidence})
	p.until("the answer to the old one is refused", func(s api.Status) bool {
		return slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, first.Evidence) })
	})
	require.NoError(p, p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: "finalize", By: "carol"}))
	p.ends(api.StateDone)
}

// answeredLanes tells the lanes what to do, by updates and by signals.
func answeredLanes(p *played) {
	release := p.clusters.Hold("Verify")
	p.start()
	p.called("Verify")
	lanes := api.StageID(p.plan, api.ReplicateType)
	again := func(tries int) {
		require.NoError(p, p.clusters.Called(p.ctx, "Replicate", tries), "the lanes start again")
	}
	require.NoError(p, p.update(lanes, api.AnswerName, skipOne()))
	again(4)
	p.signal(api.ReplicateType, api.AnswerName, skipOne())
	again(6)
	change := api.RateChange{Topic: "orders", By: "bob"}
	change.Messages = 100
	require.NoError(p, p.update(lanes, api.SetRateName, change))
	again(8)
	p.signal(api.ReplicateType, api.SetRateName, change)
	again(10)
	release()
	p.ends(api.StateDone)
}

func failedPaths() []path {
	// fails lets a stage fail at an activity until somebody resumes
	fails := func(activity string, err error) func(*played) {
		return func(p *played) {
			restore := p.clusters.Fail(activity, err)
			p.start()
			p.untilHeld()
			restore()
			p.resumeUntilDone()
		}
	}
	wrong := standins.Lasting("topic orders exists with other settings", activities.ConflictType)
	return []path{
		{"import-failed", nil, []string{api.ImportMetadataType}, fails("Apply", wrong)},
		{"verify-failed", nil, []string{api.VerifyType}, fails("Verify", wrong)},
		{"unfenced", nil, []string{api.ShiftType}, fails("Translate", wrong)},
		{
			"over-budget", hasty,
			[]string{api.ShiftType},
			fails("AwaitSettled", standins.NotYet("members hold 3 messages")),
		},
		{"refused", nil, []string{api.AssessType}, func(p *played) {
			found := standins.Inventory()
			found.Findings = []api.Finding{
				{Object: "topic orders", Cause: "it can't move", Next: "leave it out", Refusal: true},
			}
			p.clusters.Answer("Assess", func(context.Context, activities.Request) (api.Inventory, error) {
				return api.Whole(found), nil
			})
			p.start()
			p.ends("it can't move")
		}},
		{"ledger-rounds", nil, []string{api.FinalizeType}, func(p *played) {
			rest := int64(3)
			p.clusters.Answer("Ledger", func(context.Context, activities.Request) (api.Ledger, error) {
				rest--
				return api.Ledger{
					Rest: rest, Rows: api.Some(api.LedgerRow{Kind: "delayed", Object: "broker-a", Rest: rest}),
				}, nil
			})
			p.start()
			p.ends(api.StateDone)
		}},
	}
}

// endedPaths end the migration, and its stages alone, in the middle of each stage.
func endedPaths() (paths []path) {
	for stage, activity := range map[string]string{
		api.AssessType: "Assess", api.PurchaseType: "Purchase", api.ImportMetadataType: "Apply",
		api.VerifyType: "Verify", api.ShiftType: "AwaitMembers", api.EndPhaseType: "AwaitEmpty",
		api.FinalizeType: "Ledger",
	} {
		var change func(*plan.Plan)
		if stage == api.EndPhaseType {
			change = gateways
		}
		slug := slugOf(stage)
		paths = append(paths,
			path{"cancelled-in-" + slug, change, []string{stage}, func(p *played) { p.cancelIn(activity) }},
			path{"cancelled-alone-" + slug, change, []string{stage}, func(p *played) {
				p.endAlone(stage, activity, p.cancel)
			}},
			path{"terminated-alone-" + slug, change, []string{stage}, func(p *played) {
				p.endAlone(stage, activity, p.terminate)
			}})
	}
	slices.SortFunc(paths, func(a, b path) int { return strings.Compare(a.name, b.name) })
	return paths
}

// cancelIn cancels the migration while an activity waits: it goes back.
func (p *played) cancelIn(activity string) {
	release := p.clusters.Hold(activity)
	p.start()
	p.called(activity)
	p.cancel(api.MigrationType)
	p.until("it goes back", func(s api.Status) bool {
		return slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "cancelled") }) ||
			s.State == api.StateRolledBack
	})
	release()
	err := p.run.Get(p.ctx, nil)
	require.True(p, temporal.IsCanceledError(err), "%v", err)
}

// endAlone ends a stage while an activity of it waits: the migration is held, and tries it again.
func (p *played) endAlone(stage, activity string, end func(stage string)) {
	release := p.clusters.Hold(activity)
	p.start()
	p.called(activity)
	end(stage)
	p.untilHeld()
	release()
	p.steer(api.ResumeName)
	p.ends(api.StateDone)
}

func backPaths() []path {
	// goingBack plays a rollback that waits at an activity
	goingBack := func(play func(p *played, release func())) func(*played) {
		return func(p *played) {
			p.backFrom("AwaitQuiet")
			release := p.clusters.Hold("AwaitReturnable")
			p.called("AwaitReturnable")
			play(p, release)
			p.ends(api.StateRolledBack)
		}
	}
	again := func(p *played) {
		require.NoError(p, p.update(p.run.GetID(), api.BackName, api.Steering{By: "bob"}))
	}
	return []path{
		{"back-twice", nil, []string{api.RollbackType}, goingBack(func(p *played, release func()) {
			again(p)
			p.signal(api.MigrationType, api.BackName, api.Steering{By: "carol"})
			p.signal(api.RollbackType, api.BackName, api.Steering{By: "carol"})
			release()
		})},
		{"rollback-held", nil, []string{api.RollbackType}, goingBack(func(p *played, release func()) {
			p.steer(api.HoldName)
			release()
			p.untilHeld()
			again(p)
		})},
		{"rollback-cancelled", nil, []string{api.RollbackType}, goingBack(func(p *played, release func()) {
			p.cancel(api.RollbackType)
			p.untilHeld()
			release()
			p.steer(api.ResumeName)
		})},
		{"rollback-terminated", nil, []string{api.RollbackType}, goingBack(func(p *played, release func()) {
			p.terminate(api.RollbackType)
			release()
		})},
		{"rollback-failed", nil, []string{api.RollbackType}, func(p *played) {
			restore := p.clusters.Fail("AwaitReturnable",
				standins.Lasting("groups can't return", activities.RefusedType))
			p.backFrom("AwaitQuiet")
			p.untilHeld()
			restore()
			p.steer(api.ResumeName)
			p.ends(api.StateRolledBack)
		}},
		{"cancelled-in-rollback", nil, []string{api.RollbackType}, func(p *played) {
			p.backFrom("AwaitQuiet")
			release := p.clusters.Hold("AwaitReturnable")
			p.called("AwaitReturnable")
			p.cancel(api.MigrationType)
			release()
			_ = p.run.Get(p.ctx, nil)
			require.NoError(p, p.ctx.Err())
		}},
	}
}

// dead makes the target not answer in a move, until it is alive again.
func (p *played) dead() (alive func()) {
	gone := standins.Retried("the target doesn't answer", activities.TargetUnreachableType)
	stays := standins.Lasting("the target doesn't answer", activities.AwayType)
	var back atomic.Bool
	alive = func() { back.Store(true) }
	either := func(err error) error {
		if back.Load() {
			return nil
		}
		return err
	}
	p.clusters.Answer("Fence", func(_ context.Context, r activities.GroupsRequest) error {
		if r.Side == api.Target {
			return either(gone)
		}
		return nil
	})
	p.clusters.Answer("Survey", func(_ context.Context, r activities.SurveyRequest) (activities.Survey, error) {
		if r.SourceOnly {
			return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
		}
		return activities.Survey{OpenedGroups: api.Some("orders-group"), MovedTopics: api.Some("orders")}, either(stays)
	})
	p.clusters.Answer("AwaitTarget",
		func(context.Context, activities.Request) error { return either(gone) })
	p.clusters.Answer("Pending", func(context.Context, activities.Request) (api.Ledger, error) {
		return api.Ledger{}, either(gone)
	})
	return alive
}

// deadBehindGateways makes gateways move nothing with the target, until it is alive again.
func (p *played) deadBehindGateways() (alive func()) {
	var back atomic.Bool
	unless := func(without bool) error {
		if without || back.Load() {
			return nil
		}
		return standins.Retried("the target doesn't answer", activities.TargetUnreachableType)
	}
	answers := p.dead()
	groups := func(_ context.Context, r activities.GroupsRequest) error { return unless(r.WithoutTarget) }
	p.clusters.Answer("MoveAuthority", groups)
	p.clusters.Answer("MoveGroups", groups)
	p.clusters.Answer("MoveHomes", func(_ context.Context, r activities.HomesRequest) (activities.Homes, error) {
		return activities.Homes{}, unless(r.WithoutTarget)
	})
	return func() { back.Store(true); answers() }
}

func targetPaths() []path {
	return []path{
		{
			"gateway-without-target",
			func(p *plan.Plan) { gateways(p); hasty(p) },
			[]string{api.RollbackType},
			func(p *played) {
				release := p.clusters.Hold("MoveHomes")
				p.start()
				p.called("MoveHomes")
				release()
				alive := p.deadBehindGateways()
				p.steer(api.BackName)
				p.called("Owed")
				alive()
				p.ends(api.StateRolledBack)
			},
		},
		{"target-dead", hasty, []string{api.ShiftType, api.RollbackType}, func(p *played) {
			alive := p.dead()
			restore := p.clusters.Fail("Translate",
				standins.Retried("the target doesn't answer", activities.TargetUnreachableType))
			p.start()
			p.untilHeld()
			restore()
			p.steer(api.BackName)
			p.called("AwaitTarget")
			alive()
			p.ends(api.StateRolledBack)
		}},
		{"target-dead-moving", hasty, []string{api.ShiftType}, func(p *played) {
			restore := p.clusters.Fail("AwaitMembers",
				standins.Lasting("the target doesn't answer", activities.AwayType))
			p.start()
			p.untilHeld()
			restore()
			p.resumeUntilDone()
		}},
		{
			"gateway-target-dead",
			func(p *plan.Plan) { gateways(p); hasty(p) },
			[]string{api.RollbackType},
			func(p *played) {
				release := p.clusters.Hold("MoveHomes")
				p.start()
				p.called("MoveHomes")
				p.clusters.Fail("Prepare",
					standins.Retried("the target doesn't answer", activities.TargetUnreachableType))
				alive := p.dead()
				p.steer(api.BackName)
				release()
				p.called("AwaitTarget")
				alive()
				p.ends(api.StateRolledBack)
			},
		},
	}
}

func servicePaths() []path {
	return []path{
		{"service-died", nil, []string{api.ReplicateType}, func(p *played) {
			release := p.clusters.Hold("Verify")
			p.start()
			p.called("Verify")
			restore := p.clusters.Fail("Replicate", standins.Lasting("a lane can't go on", activities.RefusedType))
			require.NoError(p,
				p.update(api.StageID(p.plan, api.ReplicateType), api.AnswerName, skipOne())) // the lanes start again
			p.untilHeld()
			restore()
			p.until("it runs again", func(s api.Status) bool { return s.State != api.StateHeld })
			release()
			p.ends(api.StateDone)
		}},
		{"service-terminated", nil, []string{api.SyncOffsetsType}, func(p *played) {
			release := p.clusters.Hold("Verify")
			p.start()
			p.called("Verify")
			p.terminate(api.SyncOffsetsType)
			p.untilHeld()
			p.until("it runs again", func(s api.Status) bool { return s.State != api.StateHeld })
			release()
			p.ends(api.StateDone)
		}},
		{"service-taken-over", nil, []string{api.ReplicateType}, func(p *played) {
			run, err := p.client.ExecuteWorkflow(p.ctx, client.StartWorkflowOptions{
				ID: api.StageID(p.plan, api.ReplicateType), TaskQueue: api.ControlTaskQueue,
			}, api.ReplicateType, api.MigrationInput{Plan: p.plan})
			require.NoError(p, err)
			p.called("Replicate")
			p.start()
			require.NoError(p, run.Get(p.ctx, nil), "it was told to stop")
			p.ends(api.StateDone)
		}},
	}
}

// slugOf is what ends the ids of a stage's workflows.
func slugOf(stage string) string {
	return strings.TrimPrefix(api.StageID(plan.Plan{}, stage), plan.Plan{}.WorkflowID()+"-")
}
