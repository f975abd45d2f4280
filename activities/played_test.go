package activities_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents"
	"rocketshift/plan"
)

// played plays the clusters of a large migration. What activities answer has the form that the real
// ones give it, and what they are asked for is noted.
type played struct {
	settings activities.Settings
	found    api.Assessment

	mu     sync.Mutex
	asked  map[string]map[string][]string // names, by activity and side, and by its execution
	looked int                            // measurements for a question
	still  bool                           // measurements bring the same again and again
	fenced []string                       // on the source
	enough int                            // measurements until nothing is to come from the target
}

// newPlayed has so many topics, every fifth of them ordered, and as many groups, each of which
// reads two topics. Names are as long as applications' are: 43 characters.
func newPlayed(t *testing.T, n int) *played {
	t.Helper()
	store, err := documents.New(t.TempDir())
	require.NoError(t, err)
	p := &played{
		settings: activities.Settings{Root: t.TempDir(), Store: store}, asked: map[string]map[string][]string{},
	}
	p.found = largeAssessment(n)
	return p
}

func largeAssessment(n int) api.Assessment {
	topic := func(i int) string { return fmt.Sprintf("shop-orders-europe-created-events-v2-%06d", i%n) }
	group := func(i int) string { return fmt.Sprintf("billing-service-production-consumers-%06d", i%n) }
	a := api.Assessment{
		SourceVersion: "V4_9_7", SourceBrokers: []string{"broker-a", "broker-b", "broker-c"},
		MeasuredAt: time.Unix(1_790_000_000, 0).UTC(),
	}
	for i := range n {
		a.Topics = append(a.Topics, api.Topic{
			Name: topic(i), Queues: 8, Messages: int64(i), Type: plan.TypeNormal, Ordered: i%5 == 0,
			Readers: []string{group(i), group(i + 1)},
		})
		a.Groups = append(a.Groups, api.Group{
			Name: group(i), Topics: []string{topic(i), topic(i + n - 1)}, Members: 3,
		})
		a.Findings = append(a.Findings, api.Finding{
			Object: "group " + group(i), Cause: "a member is connected by a client of version 4.2.0",
			Next: "give it a client of 4.9.7 or later before the shift, or leave it out",
		})
	}
	return a
}

// note adds names to what an activity was asked for.
func (p *played) note(ctx context.Context, r activities.Request, what string, lists ...api.Names) ([]string, error) {
	if !r.Bounded {
		return nil, temporal.NewNonRetryableApplicationError(what+" isn't asked for bounded answers", "Test", nil)
	}
	var all []string
	for _, list := range lists {
		names, err := activities.NamesOf(ctx, p.settings, list)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	of := activity.GetInfo(ctx) // an attempt that comes again asks for the same
	if p.asked[what] == nil {
		p.asked[what] = map[string][]string{}
	}
	p.asked[what][of.WorkflowExecution.RunID+"/"+of.ActivityID] = all
	return all, nil
}

func (p *played) noted(what string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for _, asked := range p.asked[what] {
		names = append(names, asked...)
	}
	slices.Sort(names)
	return names
}

// stand makes measurements bring the same from now on, or not any more: a person answers a question
// within hours, in which nothing is measured, and here within a second.
func (p *played) stand(still bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.still = still
}

func (p *played) looks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.looked
}

// state is how far lanes are; it differs each time, as under traffic.
func (p *played) state() measure.Summary {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked++
	at := time.Now().UTC()
	lag := int64(p.looked % 7)
	if p.still {
		at, lag = p.found.MeasuredAt, 0
	}
	return measure.Summary{
		Lanes: 8 * len(p.found.Topics), Lag: lag, Measured: at,
		Worst: p.found.Topics[0].Name + " broker-a/3: copied to 1234567890 of 1234567897",
	}
}

// rows is a ledger with a rest of every topic and group, which changes now and then.
func (p *played) rows() (rows []api.LedgerRow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked++
	rest := int64(2 + p.looked/3)
	if p.still {
		rest = 1
	}
	for _, t := range p.found.Topics {
		rows = append(rows, api.LedgerRow{
			Kind: "lag", Object: "topic " + t.Name, Rest: rest,
			Detail: "not copied yet, most of all " + t.Name + " broker-a/3: copied to 1234567890 of 1234567897",
		})
	}
	for _, g := range p.found.Groups {
		rows = append(rows, api.LedgerRow{
			Kind: "consumers", Object: "group " + g.Name, Rest: 3,
			Detail: "[10.0.0.7:4711 10.0.0.8:4711 10.0.0.9:4711]",
		})
	}
	return rows
}

func (p *played) register(w worker.Worker) {
	add := func(name string, f any) { w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name}) }
	real := activities.NewAssess(p.settings)
	add("PlanWaves", real.PlanWaves)
	add("ReadNames", real.ReadNames)
	add("Write", activities.NewReports(p.settings).Write)
	add("Assess", func(ctx context.Context, r activities.Request) (api.Inventory, error) {
		return activities.InventoryOf(ctx, p.settings, r, p.found)
	})
	add("CheckPlan", activities.NewPlans().CheckPlan)
	add("Stranded", func(context.Context, activities.SurveyRequest) (consumers.Stranded, error) {
		return consumers.Stranded{}, nil
	})
	add("WatchTarget", func(context.Context, activities.WatchRequest) error {
		return temporal.NewApplicationErrorWithOptions("the target answers", activities.NotReadyType,
			temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
	})
	p.registerCopy(add)
	p.registerReleases(add)
	p.registerGateways(add)
	p.registerBack(add)
}

func (p *played) registerCopy(add func(string, any)) {
	add("Purchase", func(context.Context, activities.Request) (activities.PurchaseResult, error) {
		return activities.PurchaseResult{Provider: "existing", NameServers: []string{"10.0.1.1:9876"}}, nil
	})
	add("Describe", func(context.Context, activities.Request) (activities.PurchaseResult, error) {
		return activities.PurchaseResult{Provider: "existing", NameServers: []string{"10.0.1.1:9876"}}, nil
	})
	add("Diff", func(ctx context.Context, r activities.MetadataRequest) (d api.MetadataDiff, err error) {
		topics, err := p.note(ctx, r.Request, "Diff topics", r.Topics)
		if err != nil {
			return d, err
		}
		groups, err := p.note(ctx, r.Request, "Diff groups", r.Groups)
		if err != nil {
			return d, err
		}
		if d.CreateTopics, err = activities.NamesFor(ctx, p.settings, r.Request, topics); err != nil {
			return d, err
		}
		d.CreateGroups, err = activities.NamesFor(ctx, p.settings, r.Request, groups)
		return d, err
	})
	add("Apply", func(ctx context.Context, r activities.MetadataRequest) (activities.MetadataResult, error) {
		topics, err := p.note(ctx, r.Request, "Apply topics", r.Topics)
		if err != nil {
			return activities.MetadataResult{}, err
		}
		groups, err := p.note(ctx, r.Request, "Apply groups", r.Groups)
		return activities.MetadataResult{CreatedTopics: len(topics), CreatedGroups: len(groups)}, err
	})
	for _, name := range []string{"Replicate", "Sync"} {
		add(name, untilCancelled)
	}
	state := func(context.Context, activities.Request) (measure.Summary, error) { return p.state(), nil }
	add("State", state)
	add("AwaitCaughtUp", state)
	add("Verify", func(ctx context.Context, r activities.VerifyRequest) (api.Verification, error) {
		topics, err := p.note(ctx, r.Request, "Verify", r.Topics)
		return api.Verification{Lanes: 8 * len(topics), Compared: 1 << 30, Measured: time.Now().UTC()}, err
	})
	add("Ledger", func(ctx context.Context, r activities.Request) (api.Ledger, error) {
		return activities.LedgerFor(ctx, p.settings, r, p.rows())
	})
}

// untilCancelled is a service.
func untilCancelled(ctx context.Context, _ activities.Request) error {
	for {
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
