package members

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/rocketmq"
)

var at = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func asks(expression string) []rocketmq.Subscription {
	return []rocketmq.Subscription{
		{Topic: "orders", Filter: rocketmq.Filter{Expression: expression}}, {Topic: "%RETRY%billing"},
	}
}

// clean is a group of two members that agree, with SDKs of today.
func clean() facts.Facts {
	of := clusters.NewConnections()
	of.Note(rocketmq.ConsumerConnections{
		Connections: []rocketmq.Connection{
			{ClientID: "c1", Addr: "10.0.0.1:1", Language: "JAVA", Version: 407},
			{ClientID: "c2", Addr: "10.0.0.2:1", Language: "JAVA", Version: 407},
		},
		ConsumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
	}, "127.0.0.1:10911")
	return facts.Facts{
		At: at, GroupNames: []string{"billing"}, Online: map[string]clusters.Connections{"billing": of},
		Members: map[string]map[string]facts.Member{"billing": {
			"c1": {Orderly: true, Subscriptions: asks("*")}, "c2": {Orderly: true, Subscriptions: asks("*")},
		}},
	}
}

func judged(t *testing.T, seen facts.Facts) []api.Finding {
	t.Helper()
	all, err := Find(t.Context(), facts.Sides{}, seen)
	require.NoError(t, err)
	return all
}

func TestNothingIsFoundOfMembersThatAgree(t *testing.T) {
	assert.Empty(t, judged(t, clean()))
}

func TestFindingsOfMembers(t *testing.T) {
	connected := func(f *facts.Facts, change func(*rocketmq.ConsumerConnections)) {
		told := rocketmq.ConsumerConnections{Connections: []rocketmq.Connection{
			{ClientID: "c3", Addr: "10.0.0.3:1", Language: "JAVA", Version: 407},
		}}
		change(&told)
		of := f.Online["billing"]
		of.Note(told, "127.0.0.1:10911")
		f.Online["billing"] = of
	}
	for name, c := range map[string]struct {
		change   func(*facts.Facts)
		id       string
		severity api.Severity
		cause    string
	}{
		"orderly and concurrent": {
			change: func(f *facts.Facts) { f.Members["billing"]["c2"] = facts.Member{Subscriptions: asks("*")} },
			id:     "group-mixes-order", severity: api.SeverityWarning, cause: "1 members read in order and 1 don't",
		},
		"differing subscriptions": {
			change: func(f *facts.Facts) {
				f.Members["billing"]["c2"] = facts.Member{Orderly: true, Subscriptions: asks("paid")}
			},
			id: "subscriptions-differ", severity: api.SeverityWarning, cause: "2 different things",
		},
		"by a time, as heartbeats say": {
			change: func(f *facts.Facts) {
				connected(f, func(told *rocketmq.ConsumerConnections) { told.ConsumeFromWhere = "CONSUME_FROM_TIMESTAMP" })
			},
			id: "from-timestamp", severity: api.SeverityWarning, cause: "CONSUME_FROM_TIMESTAMP",
		},
		"HTTP": {
			change: func(f *facts.Facts) {
				connected(f, func(told *rocketmq.ConsumerConnections) { told.Connections[0].Language = "HTTP" })
			},
			id: "client-http", severity: api.SeverityRefusal, cause: "c3 at 10.0.0.3:1",
		},
		"older than a proxy takes": {
			change: func(f *facts.Facts) {
				f.Plan.Target.Proxy = "10.0.0.9:8080"
				connected(f, func(told *rocketmq.ConsumerConnections) { told.Connections[0].Version = 317 })
			},
			id: "client-too-old", severity: api.SeverityWarning, cause: "4.5.2",
		},
		"never tried": {
			change: func(f *facts.Facts) {
				connected(f, func(told *rocketmq.ConsumerConnections) { told.Connections[0].Version = 253 })
			},
			id: "client-too-old", severity: api.SeverityWarning, cause: "older than 4.4.0",
		},
		"traces of old SDKs": {
			change: func(f *facts.Facts) {
				f.Producers = map[string]map[string]rocketmq.Connection{
					"_INNER_TRACE_PRODUCER": {"p": {ClientID: "p", Language: "JAVA", Version: 293}},
				}
			},
			id: "client-trace", severity: api.SeverityWarning, cause: "before 4.5.2",
		},
		"broadcasting, which gRPC SDKs lack": {
			change: func(f *facts.Facts) {
				connected(f, func(told *rocketmq.ConsumerConnections) { told.MessageModel = "BROADCASTING" })
			},
			id: "sdk-feature", severity: api.SeverityAdvice, cause: "1 groups use broadcasting, which the 5.x gRPC SDK doesn't have",
		},
		"stream processing": {
			change: func(f *facts.Facts) {
				connected(f, func(told *rocketmq.ConsumerConnections) { told.ConsumeType = "CONSUME_ACTIVELY" })
			},
			id: "sdk-feature", severity: api.SeverityAdvice, cause: "stream consumption",
		},
		"seen before, and gone": {
			change: func(f *facts.Facts) {
				f.Watched = &facts.Watched{Clients: []facts.Client{{
					Kind: facts.Consumer, Group: "billing", ID: "old", Addr: "10.0.0.7:1", Language: "HTTP", Last: at.Add(-3 * time.Hour),
				}}}
			},
			id: "client-http", severity: api.SeverityRefusal, cause: "old at 10.0.0.7:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := clean()
			c.change(&seen)
			found := slices.DeleteFunc(judged(t, seen), func(f api.Finding) bool { return f.ID == "target-quotas" })
			require.Len(t, found, 1, "%+v", found)
			assert.Equal(t, c.id, found[0].ID)
			assert.Equal(t, c.severity, found[0].Level())
			assert.Contains(t, found[0].Cause, c.cause)
			assert.NotEmpty(t, found[0].Next)
		})
	}
}

func TestEvidenceSaysWhenAClientWasSeen(t *testing.T) {
	seen := clean()
	seen.Watched = &facts.Watched{Clients: []facts.Client{{
		Kind: facts.Producer, Group: "shop", ID: "old", Language: "HTTP", Last: at.Add(-3 * time.Hour),
	}}}
	found := judged(t, seen)
	require.Len(t, found, 1)
	require.Len(t, found[0].Evidence, 1)
	assert.Contains(t, found[0].Evidence[0].Fact, "seen 3h0m0s ago")
	assert.Equal(t, at.Add(-3*time.Hour), found[0].Evidence[0].At)
}
