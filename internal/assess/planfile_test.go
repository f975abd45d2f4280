package assess

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"rocketshift/api"
	"rocketshift/internal/findings"
	"rocketshift/plan"
)

func written(t *testing.T, p plan.Plan, a api.Assessment) (text string, read plan.Plan) {
	t.Helper()
	p = Fitted(p, a)
	text = PlanFile(p, ReportOf(a, p.Source.NameServers, time.Second))
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	require.NoError(t, err, text)
	read, err = plan.Parse(asJSON)
	require.NoError(t, err, text)
	return text, read
}

func assessment() api.Assessment {
	return api.Assessment{
		SourceVersion: "4.9.7", SourceBrokers: []string{"broker-a"}, MeasuredAt: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC),
		Topics: []api.Topic{{Name: "orders", Queues: 4, Type: plan.TypeFIFO}}, Groups: []api.Group{{Name: "billing"}},
		Findings: []api.Finding{
			findings.EmptyBody.Warning("topic orders", "", "holds\nthree: # of them"),
			findings.TopicUnreadable.Refusal("topic x", "", "can't be read"),
		},
		Recommended: &api.Recommended{
			Topics:  []api.RecommendedTopic{{Name: "orders", Type: plan.TypeFIFO, Why: "7 sampled"}},
			Traffic: api.RecommendedTraffic{Mode: plan.ModeGateway, Why: "no pause"},
			Waves:   []api.RecommendedWave{{Topics: []string{"orders"}, Groups: []string{"billing"}, Why: "small"}},
		},
	}
}

func TestAPlanThatIsWrittenIsOne(t *testing.T) {
	p, err := Flags{
		From: []string{"10.0.0.1:9876", "10.0.0.2:9876"}, Cluster: "C4", Credentials: "OLD",
		Reached: map[string]string{"10.1.0.7:10911": "10.0.0.1:30911", "10.1.0.8:10911": "10.0.0.1:30912"},
		LeftOut: []string{"broker-z"}, ReadSlaves: []string{"broker-y"},
	}.Plan()
	require.NoError(t, err)
	text, read := written(t, p, assessment())
	assert.Equal(t, p.Source, read.Source)
	assert.Equal(t, plan.ModeGateway, read.Traffic.Mode, "as recommended")
	assert.Contains(t, text, "# Refused for 1 reason, with 1 warning and 0 pieces of advice.")
	assert.Contains(t, text, "topic-unreadable, topic x: can't be read")
	assert.NotContains(t, text, "\nthree", "a comment stays one")
	assert.Contains(t, text, "#   orders: FIFO, 7 sampled")
	assert.Contains(t, text, "1. topics")
}

// Whoever takes a mark of a comment away from a choice gets a plan.
func TestTheChoicesInTheCommentsOfAPlanAreValid(t *testing.T) {
	p, err := Flags{From: []string{"10.0.0.1:9876"}}.Plan()
	require.NoError(t, err)
	text, _ := written(t, p, assessment())
	for _, choice := range []string{
		"  # ordered: [", "  # types: {NAME: FIFO}", "# metadata: {conflicts: refuse}", "# users: {}",
		"  # provider: existing", "  # nameServers: [\"HOST:9876\"]", "  # credentials: {env: NEW}",
	} {
		require.Equal(t, 1, strings.Count(text, "\n"+choice), choice)
		text = strings.Replace(text, "\n"+choice, "\n"+strings.Replace(choice, "# ", "", 1), 1)
	}
	for _, local := range []string{"  provider: local\n", "  version: \"5.3.3\"\n", "  brokers: 1  # the source has 1\n"} {
		require.Equal(t, 1, strings.Count(text, local), local)
		text = strings.Replace(text, local, "", 1)
	}
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	require.NoError(t, err, text)
	read, err := plan.Parse(asJSON)
	require.NoError(t, err, text)
	assert.Equal(t, plan.ProviderExisting, read.Target.Provider)
	assert.Equal(t, []string{"NAME"}, read.Topics.Ordered)
	assert.NotNil(t, read.Users)
	assert.NotContains(t, text, " \n", "no blank ends a line")
}

func TestAPlanForAnExistingTargetNamesIt(t *testing.T) {
	for name, f := range map[string]Flags{
		"its name servers": {
			From: []string{"10.0.0.1:9876"}, Target: []string{"10.0.9.1:9876"}, TargetCredentials: "NEW", TargetCluster: "C5",
			TargetReached: map[string]string{"10.2.0.7:10911": "10.0.9.1:30911"},
		},
		"its proxy": {From: []string{"10.0.0.1:9876"}, TargetProxy: "10.0.9.1:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := f.Plan()
			require.NoError(t, err)
			_, read := written(t, p, assessment())
			assert.Equal(t, p.Target, read.Target)
		})
	}
}

func TestNamesThat5xDoesNotTakeAreRenamedInThePlan(t *testing.T) {
	a := assessment()
	a.Topics = append(a.Topics, api.Topic{Name: "eu.orders"})
	a.Groups = append(a.Groups, api.Group{Name: strings.Repeat("g", 130)})
	p, err := Flags{From: []string{"10.0.0.1:9876"}}.Plan()
	require.NoError(t, err)
	_, read := written(t, p, a)
	require.NotNil(t, read.Target.Rename)
	assert.Contains(t, read.Target.Rename.Topics["eu.orders"], "eu-orders-")
	assert.Len(t, read.Target.Rename.Groups, 1)
	assert.Equal(t, plan.ModeRelease, read.Traffic.Mode, "gateways change no names")
}

func TestAReportIsOneDocument(t *testing.T) {
	r := ReportOf(assessment(), []string{"10.0.0.1:9876"}, time.Second)
	assert.Equal(t, 7, r.ExitCode)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var read map[string]any
	require.NoError(t, json.Unmarshal(b, &read))
	first := read["findings"].([]any)[0].(map[string]any)
	for _, key := range []string{"id", "severity", "object", "cause", "why", "next"} {
		assert.NotEmpty(t, first[key], key)
	}
}

func TestAMarkdownReportHoldsNoMarkOfServers(t *testing.T) {
	a := assessment()
	a.Findings[0].Object = "topic <b>&`x`\n# y"
	var page strings.Builder
	require.NoError(t, ReportOf(a, []string{"10.0.0.1:9876"}, time.Second).Markdown(&page))
	assert.Contains(t, page.String(), "**warning** `empty-body`")
	assert.NotContains(t, page.String(), "<b>")
	assert.NotContains(t, page.String(), "\n# y")
	assert.Contains(t, page.String(), "## Waves")
}
