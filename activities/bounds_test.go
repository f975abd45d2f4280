package activities_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/measure"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// longest is a migration as large as it may be, with names as long as brokers take them.
func longest(t *testing.T) *played {
	t.Helper()
	p := newPlayed(t, 10_000)
	long := func(name string) string { return name + strings.Repeat("x", 120-len(name)) }
	for i := range p.found.Topics {
		topic := &p.found.Topics[i]
		topic.Name = long(topic.Name)
		for j := range topic.Readers {
			topic.Readers[j] = long(topic.Readers[j])
		}
		p.found.Groups[i].Name = long(p.found.Groups[i].Name)
	}
	return p
}

// longPlan is a plan of the largest size, with a step for every percent.
func longPlan(t *testing.T, mode string) plan.Plan {
	t.Helper()
	p := plan.Plan{
		Name: "orders", Source: plan.Cluster{NameServers: []string{"10.0.0.1:9876"}},
		Target:  plan.Target{Provider: plan.ProviderExisting, NameServers: []string{"10.0.1.1:9876"}},
		Traffic: plan.Traffic{Mode: mode},
	}
	for step := 1; step <= 100; step++ {
		p.Shift.Steps = append(p.Shift.Steps, step)
	}
	p = p.WithDefaults()
	for i := 0; p.CheckSize() == nil; i++ {
		p.Topics.Include = append(p.Topics.Include, fmt.Sprintf("orders-%04d-*", i))
	}
	p.Topics.Include = p.Topics.Include[:len(p.Topics.Include)-1]
	require.NoError(t, p.CheckSize())
	return p
}

func (p *played) names(of string) (names []string) {
	for i := range p.found.Topics {
		if of == "groups" {
			names = append(names, p.found.Groups[i].Name)
		} else {
			names = append(names, p.found.Topics[i].Name)
		}
	}
	return names
}

func requireFits(t *testing.T, payloads map[string]any) {
	t.Helper()
	for what, v := range payloads {
		b, err := json.Marshal(v)
		require.NoError(t, err, what)
		assert.Less(t, len(b), mostPayload, "%s", what)
		t.Logf("%s: %d bytes", what, len(b))
	}
}

func TestWhatActivitiesAreAskedAndAnswerFitsInPayloads(t *testing.T) {
	clusters := longest(t)
	ctx, s := t.Context(), clusters.settings
	for _, mode := range []string{plan.ModeRelease, plan.ModeGateway} {
		r := activities.Request{Plan: longPlan(t, mode), Bounded: true}
		inventory, err := activities.InventoryOf(ctx, s, r, clusters.found)
		require.NoError(t, err)
		waves, err := activities.NewAssess(s).PlanWaves(ctx, activities.WavesRequest{Request: r, Inventory: inventory})
		require.NoError(t, err)
		require.Len(t, waves, 100)
		topics, groups := clusters.names("topics"), clusters.names("groups")
		list, err := activities.NamesFor(ctx, s, r, topics)
		require.NoError(t, err)
		ledger, err := activities.LedgerFor(ctx, s, r, clusters.rows())
		require.NoError(t, err)
		batch := api.Some(groups[:200]...) // whose names stand in the history
		var positions []consumers.Positions
		var members []measure.Members
		for _, g := range groups[:200] {
			positions = append(positions, consumers.Positions{Group: g, Queues: 64, Exact: 64})
			members = append(members, measure.Members{
				Group:  g,
				Source: 5,
				Where:  []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1", "10.0.0.5:1"},
			})
		}
		requireFits(t, map[string]any{
			mode + ": inventory": inventory, mode + ": waves": waves, mode + ": list": list, mode + ": ledger": ledger,
			mode + ": stage": largestInput(t, clusters, r, inventory, waves),
			mode + ": shard": activities.ReplicateRequest{
				Request: r,
				Answers: answers(60),
				Earlier: manyAnswers(t, clusters, r),
				Rates:   rates(100),
			},
			mode + ": metadata": activities.MetadataRequest{
				Request:   r,
				Inventory: &inventory,
				Topics:    inventory.Topics().Cut(200, 400),
			},
			mode + ": diff": api.MetadataDiff{
				CreateTopics: list,
				CreateGroups: list,
				Conflicts:    inventory.Summary.Findings,
				Warnings:     inventory.Summary.Findings,
			},
			mode + ": wave": activities.WaveRequest{Request: r, Wave: waves[50]},
			mode + ": fence": activities.GroupsRequest{
				Request: r,
				Groups:  batch,
				But:     groups[:100],
			},
			mode + ": open": activities.GroupsRequest{
				Request: r,
				Groups:  inventory.Readers().Cut(0, 500),
				But:     groups[:500],
			},
			mode + ": producers": activities.AwaitMoveRequest{
				Request: r,
				Topics:  inventory.Free().Parts(8, 100)[0],
			},
			mode + ": survey":    activities.PageFor(activities.SurveyRequest{Most: 200}, groups),
			mode + ": recorded":  activities.SurveyRequest{Request: r, RecordedIn: groupsOf(waves)},
			mode + ": translate": activities.PositionsFor(r, positions),
			mode + ": members":   activities.MembersFor(r, members),
		})
	}
}

// largestInput is of Rollback after all steps, with answers and rates of many topics.
func largestInput(
	t *testing.T, p *played, r activities.Request, inventory api.Inventory, waves []activities.Wave,
) api.MigrationInput {
	t.Helper()
	in := api.MigrationInput{
		Plan: r.Plan, Inventory: &inventory, FencedIn: groupsOf(waves),
		Answers: answers(60), EarlierAnswers: manyAnswers(t, p, r), Rates: rates(100),
	}
	for _, w := range waves {
		in.AskedIn = append(in.AskedIn, w.Topics)
	}
	groups := p.names("groups")
	in.Closed.Named = groups[:100]
	for from := 100; from < len(groups); from += 200 { // others closed all of them
		kept, err := activities.NewAssess(p.settings).KeepNames(t.Context(),
			activities.NamesRequest{Request: r, Names: api.Some(groups[from : from+200]...)})
		require.NoError(t, err)
		in.Closed.In = append(in.Closed.In, kept)
	}
	return in
}

func answers(n int) (all []api.LaneAnswer) {
	for i := range n {
		all = append(all, api.LaneAnswer{
			By:     "alice",
			Reason: "a test message of 5 MB",
			Answer: lane.Answer{
				Topic:  fmt.Sprintf("shop-orders-europe-created-events-v2-%06d", i),
				Broker: "broker-a", Action: lane.Skip, From: 1234567890, To: 1234567891,
			},
		})
	}
	return all
}

func rates(n int) (all []api.RateChange) {
	for i := range n {
		all = append(all, api.RateChange{
			Topic: fmt.Sprintf("shop-orders-europe-created-events-v2-%06d", i),
			Rate:  lane.Rate{Messages: 1000, Bytes: 1e6}, By: "alice",
		})
	}
	return all
}

func manyAnswers(t *testing.T, p *played, r activities.Request) api.List[api.LaneAnswer] {
	t.Helper()
	list, err := activities.NewReplication(p.settings).
		KeepAnswers(t.Context(), activities.KeepAnswersRequest{Request: r, Answers: answers(10_000)})
	require.NoError(t, err)
	require.Equal(t, 10_000, list.Len())
	return list
}

func groupsOf(waves []activities.Wave) (lists []api.Names) {
	for _, w := range waves {
		lists = append(lists, w.Groups)
	}
	return lists
}

// The largest status: all steps, all questions, an approval with a long reason of every step.
func TestTheLargestStatusFitsInAPayload(t *testing.T) {
	clusters := longest(t)
	ctx, s := t.Context(), clusters.settings
	r := activities.Request{Plan: longPlan(t, plan.ModeRelease), Bounded: true}
	inventory, err := activities.InventoryOf(ctx, s, r, clusters.found)
	require.NoError(t, err)
	waves, err := activities.NewAssess(s).PlanWaves(ctx, activities.WavesRequest{Request: r, Inventory: inventory})
	require.NoError(t, err)
	ledger, err := activities.LedgerFor(ctx, s, r, clusters.rows())
	require.NoError(t, err)
	groups := clusters.names("groups")
	status := api.Status{
		Name: "orders", Assessment: &inventory, Inventory: &inventory.Summary, Ledger: &ledger,
		Metadata: &api.MetadataDiff{
			CreateTopics: inventory.Topics(),
			CreateGroups: inventory.Groups(),
			Warnings:     inventory.Summary.Findings,
		},
		Moved: api.Moved{Groups: groups[:200], Topics: groups[:200], MoreGroups: 9800, MoreTopics: 9800},
		Waiting: []api.Waiting{
			{Groups: api.Some(groups[:200]...)}, {Topics: inventory.Free()}, {Topics: inventory.Ordered()},
		},
		Answers: answers(60), EarlierAnswers: manyAnswers(t, clusters, r), Rates: rates(100),
	}
	closed := largestInput(t, clusters, r, inventory, waves).Closed
	for _, w := range waves {
		status.Waves = append(status.Waves, api.WaveStatus{
			Step: w.Step, Topics: w.Topics, Groups: w.Groups, Check: &api.WaveCheck{Measured: time.Now()},
		})
		status.Approvals = append(status.Approvals, api.Approval{
			Gate: "shift-100", By: "alice", Reason: "looked at lag and errors, ticket OPS-1234",
			Evidence: "0123456789ab", PlanHash: "0123456789ab",
		})
	}
	status.Waves[0].Closed = closed
	for range 20 {
		status.Notes = append(status.Notes, strings.Repeat("n", 1100))
	}
	requireFits(t, map[string]any{"status": status})
}

func TestAListIsWholeWhereverItStands(t *testing.T) {
	clusters := newPlayed(t, 1000)
	r := activities.Request{Plan: plan.Plan{Name: "orders"}, Bounded: true}
	for _, n := range []int{0, 1, 5, 200, 1000} {
		names := clusters.names("topics")[:n]
		list, err := activities.NamesFor(t.Context(), clusters.settings, r, names)
		require.NoError(t, err)
		_, inline := list.Inline()
		assert.Equal(t, n < 400, inline, "%d names", n)
		var all []string
		for _, part := range list.Chunks(70) {
			b, err := json.Marshal(part)
			require.NoError(t, err)
			var travelled api.Names
			require.NoError(t, json.Unmarshal(b, &travelled))
			got, err := activities.NamesOf(t.Context(), clusters.settings, travelled)
			require.NoError(t, err)
			all = append(all, got...)
		}
		assert.Equal(t, n, list.Len())
		assert.Equal(t, strings.Join(names, " "), strings.Join(all, " "))
		assert.LessOrEqual(t, len(list.Parts(8, 100)), 8)
	}
}

func TestListsFromOutsideAreJudged(t *testing.T) {
	s := activities.Settings{Root: t.TempDir()}
	digest := strings.Repeat("a", 64)
	for text, says := range map[string]string{
		`{"to":3}`: "names its document",
		`{"document":{"digest":"` + digest + `","migration":"m"},"from":3,"to":1}`:  "is no range",
		`{"document":{"digest":"` + digest + `","migration":"m"},"from":-1,"to":1}`: "is no range",
		`[1]`: "cannot unmarshal",
	} {
		var list api.Names
		assert.ErrorContains(t, json.Unmarshal([]byte(text), &list), says, text)
	}
	for reference, says := range map[string]string{
		`{"digest":"../x","migration":"m"}`:                      "want 64 hex digits",
		`{"digest":"` + digest + `","migration":"../m"}`:         "want a plan's name",
		`{"digest":"` + digest + `","migration":"m"}`:            "isn't in the store",
		`{"digest":"` + digest + `","migration":"m","bytes":-1}`: "at most are",
	} {
		var list api.Names
		require.NoError(t, json.Unmarshal([]byte(`{"document":`+reference+`,"from":0,"to":1}`), &list))
		_, err := activities.NamesOf(t.Context(), s, list)
		assert.ErrorContains(t, err, says, reference)
	}
}

func TestARangeBeyondItsDocumentIsRefused(t *testing.T) {
	clusters := newPlayed(t, 1000)
	r := activities.Request{Plan: plan.Plan{Name: "orders"}, Bounded: true}
	list, err := activities.NamesFor(t.Context(), clusters.settings, r, clusters.names("topics"))
	require.NoError(t, err)
	b, err := json.Marshal(list)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(strings.Replace(string(b), `"to":1000`, `"to":1001`, 1)), &list))
	_, err = activities.NamesOf(t.Context(), clusters.settings, list)
	assert.ErrorContains(t, err, "has 1000 entries, and 0 to 1001 are asked for")
}
