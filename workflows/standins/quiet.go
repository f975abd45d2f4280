package standins

import (
	"context"
	"reflect"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

// Inventory is what Assess finds: two topics, one of them ordered, and three groups.
func Inventory() api.Assessment {
	return api.Assessment{
		SourceVersion: "4.9.7", SourceBrokers: []string{"broker-a", "broker-b"},
		Topics: []api.Topic{
			{
				Name: "orders", Queues: 8, Messages: 100, Type: plan.TypeNormal, Ordered: true,
				Readers: []string{"orders-group"},
			},
			{
				Name: "payments", Queues: 8, Messages: 50, Type: plan.TypeNormal,
				Readers: []string{"payments-group", "audit-group"},
			},
		},
		Groups: []api.Group{
			{Name: "audit-group"}, {Name: "orders-group", Orderly: true}, {Name: "payments-group"},
		},
		MeasuredAt: measured(),
	}
}

// measured is when everything was measured: recordings of one path are alike.
func measured() time.Time { return time.Unix(1_790_000_000, 0).UTC() }

// diff finds that everything is to be created, and apply creates all that it is told.
func diff(_ context.Context, r activities.MetadataRequest) (api.MetadataDiff, error) {
	if r.Inventory != nil {
		r.Topics, r.Groups = r.Inventory.Topics(), r.Inventory.Groups()
	}
	return api.MetadataDiff{CreateTopics: r.Topics, CreateGroups: r.Groups}, nil
}

func apply(_ context.Context, r activities.MetadataRequest) (activities.MetadataResult, error) {
	return activities.MetadataResult{
		CreatedTopics: r.Topics.Len(), CreatedGroups: r.Groups.Len(),
	}, nil
}

// quiet are the answers of clusters on which nothing hinders a migration. What isn't here answers
// with an empty result.
func (c *Clusters) quiet() map[string]reflect.Value {
	target := activities.PurchaseResult{
		Provider: plan.ProviderLocal, Version: plan.DefaultVersion,
		NameServers: []string{"127.0.0.1:9900"},
	}
	state := activities.ReplicationState{Lanes: 16, Measured: measured()}
	check := api.WaveCheck{TargetPuts: 10, Measured: measured()}
	answers := map[string]any{
		"CheckPlan": (&activities.Plans{}).CheckPlan,
		"Assess": func(context.Context, activities.Request) (api.Inventory, error) {
			return api.Whole(Inventory()), nil
		},
		"PlanWaves": (&activities.Assess{}).PlanWaves,
		"Purchase":  always(target), "Describe": always(target),
		"Diff": diff, "Apply": apply,
		"Replicate": func(ctx context.Context, r activities.ReplicateRequest) (api.ReplicationProgress, error) {
			return api.ReplicationProgress{Broker: r.Broker}, untilEnded(ctx)
		},
		"Sync": func(ctx context.Context, _ activities.Request) (api.SyncProgress, error) {
			return api.SyncProgress{Groups: 3}, untilEnded(ctx)
		},
		"State": always(state), "AwaitCaughtUp": always(state),
		"AwaitDrained": func(context.Context, activities.TopicsRequest) (activities.ReplicationState, error) {
			return state, nil
		},
		"Verify": func(context.Context, activities.VerifyRequest) (api.Verification, error) {
			return api.Verification{Lanes: 16, Compared: 150, Measured: measured()}, nil
		},
		"CheckWave": func(context.Context, activities.WaveRequest) (api.WaveCheck, error) {
			return check, nil
		},
		"MeasureShare": func(context.Context, activities.ShareRequest) (api.WaveCheck, error) {
			return check, nil
		},
		"JudgeSoak": func(context.Context, activities.SoakRequest) (api.WaveCheck, error) {
			return check, nil
		},
		"Ledger": always(api.Ledger{Measured: measured()}), "Pending": always(api.Ledger{Measured: measured()}),
		"Survey": c.survey,
		"Write": func(_ context.Context, r activities.ReportRequest) (activities.ReportResult, error) {
			return activities.ReportResult{Path: "reports/" + r.Name + ".json"}, nil
		},
	}
	values := map[string]reflect.Value{}
	for name, answer := range answers {
		values[name] = reflect.ValueOf(answer)
	}
	return values
}

// survey finds what the calls so far have moved.
func (c *Clusters) survey(context.Context, activities.SurveyRequest) (activities.Survey, error) {
	if c.Calls("Fence")+c.Calls("MoveGroups") == 0 {
		return activities.Survey{}, nil
	}
	return activities.Survey{
		FencedGroups: api.Some("orders-group"), MovedTopics: api.Some("orders"),
	}, nil
}

func always[T any](result T) func(context.Context, activities.Request) (T, error) {
	return func(context.Context, activities.Request) (T, error) { return result, nil }
}

// untilEnded beats until the activity is cancelled, or its worker stops: then another goes on.
func untilEnded(ctx context.Context) error {
	beat := time.NewTicker(100 * time.Millisecond) // the SDK sends fewer
	defer beat.Stop()
	for {
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return NotYet("the worker stops")
		case <-beat.C:
		}
	}
}
