package plan

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// released sets every key of the release before 2026-11-30.
const released = `{
  "name": "a", "source": {"nameServers": ["h1:1", "h2:65535"], "id": "prod-4", "credentials": {"env": "SOURCE"}},
  "target": {"provider": "existing", "nameServers": ["[fd00::1]:9876"], "id": "prod-5", "credentials": {"env": "TARGET_2"},
    "rename": {"prefix": "eu-", "topics": {"order.old": "orders"}, "groups": {"g.1": "g1"}}},
  "topics": {"include": ["order*", "pay-?"], "exclude": ["*-test"], "types": {"order.new": "FIFO", "pay-1": "MIXED"}, "ordered": ["pay-*"]},
  "groups": {"include": [], "exclude": ["%RETRY%*"]}, "traffic": {"mode": "release"},
  "shift": {"steps": [1, 100], "soak": "1m30s", "settle": "1ms"},
  "replicate": {"heartbeat": "2s", "batchMessages": 1000, "shards": 64, "exactBorn": true, "oneWay": true, "syncInterval": "10m"}, "approvals": []}`

// byGateways is a plan with keys that the smallest one has no need of.
const byGateways = `{"name":"a","source":{"nameServers":["h:1"]},"target":{"provider":"existing","nameServers":["t:1"]},
  "traffic":{"mode":"gateway","gateways":["https://g:1"]},"shift":{"settle":"5m"},"replicate":{"shards":4}}`

func TestANormalPlanLeavesNothingToLaterDefaults(t *testing.T) {
	p := mustParse(t, smallest).Normal()
	assert.Equal(t, Duration(time.Minute), p.Shift.FenceBudget)
	assert.Equal(t, 1, p.Replicate.Shards)
	slow := mustParse(t, byGateways).Normal()
	assert.Equal(t, Duration(10*time.Minute), slow.Shift.FenceBudget, "twice the settle time")
	assert.Equal(t, 4, slow.Replicate.Shards)
	for _, text := range []string{smallest, released, byGateways} {
		normal := mustParse(t, text).Normal()
		b, err := json.Marshal(normal)
		require.NoError(t, err)
		var read Plan
		require.NoError(t, json.Unmarshal(b, &read))
		assert.Equal(t, normal, read, "it is the same after it has travelled as JSON")
		assert.Equal(t, normal, read.WithDefaults(), "defaults change nothing of it")
		assert.Equal(t, normal.Shift.FenceLimit(), time.Duration(normal.Shift.FenceBudget))
		require.NoError(t, normal.Validate(), "a child of an older worker takes it")
	}
}

// A field of a plan that a running migration decides by is written out, or means one thing when it
// is absent.
func TestEveryFieldOfANormalPlanIsWrittenOrMeansOneThing(t *testing.T) {
	absent := map[string]bool{ // and what that means
		"Source.ID": true, "Source.Credentials": true, // see SourceID; none
		"Source.Cluster": true, "Target.Cluster": true, "Source.LeftOut": true, // the only one; none
		"Source.ReadSlaves": true,                            // none
		"Source.Advertised": true, "Target.Advertised": true, // none
		"Target.NameServers": true, "Target.Proxy": true, "Target.ID": true, // a cluster of its own; none; see TargetID
		"Target.Credentials": true, "Target.Rename": true, // none; same names
		"Target.MaxDelay": true,                         // as the target tells, or its kind
		"Target.Aliyun":   true,                         // only of provider aliyun
		"Topics.Types":    true, "Topics.Ordered": true, // what Assess infers
		"Metadata.Topics": true, "Metadata.Groups": true, "Metadata.KV": true, // Conflicts decides; none
		"Metadata.Conflicts": true, "Metadata.Drift": true, // refuse; report
		"Users":            true,                              // they aren't taken along
		"Traffic.Gateways": true, "Traffic.Credentials": true, // none; see GatewayToken
		"Replicate.OneWay": true, "Replicate.ExactBorn": true, // no
	}
	walk(t, "", reflect.ValueOf(mustParse(t, smallest).Normal()), func(path string, v reflect.Value) {
		assert.Equal(t, absent[path], v.IsZero(),
			"%s: write it out in Normal, or say here what its absence means for ever", path)
	})
}

func walk(t *testing.T, path string, v reflect.Value, see func(string, reflect.Value)) {
	t.Helper()
	if v.Kind() != reflect.Struct {
		see(path, v)
		return
	}
	for i := range v.NumField() {
		field, below := v.Type().Field(i), path
		if !field.Anonymous {
			below = field.Name
			if path != "" {
				below = path + "." + field.Name
			}
		}
		walk(t, below, v.Field(i), see)
	}
}

// Approvals and reports name a migration's hash: today's build makes the same of the plans of every
// release so far.
func TestHashesOfEveryReleaseStand(t *testing.T) {
	for _, c := range []struct{ name, plan, hash string }{
		{"a key that came later is left out", smallest, "0113f79ef6ce"},
		{"every key of the release before 2026-11-30", released, "89fb59142fcc"},
		{"gateways", byGateways, "38e816aa1b3e"},
		{"a heartbeat that was the default", edited(t, "replicate.heartbeat", `"1m"`), "0113f79ef6ce"},
		{"one that was it afterwards", edited(t, "replicate.heartbeat", `"5m"`), "0113f79ef6ce"},
		{"the one that is it now", edited(t, "replicate.heartbeat", `"10m"`), "0113f79ef6ce"},
		{"a fence budget that is given", edited(t, "shift.fenceBudget", `"1m"`), "1138ce4967f9"},
		{"shards that are given", edited(t, "replicate.shards", `1`), "008042101e81"},
	} {
		p := mustParse(t, c.plan)
		assert.Equal(t, c.hash, p.Hash(), c.name)
		b, err := json.Marshal(p)
		require.NoError(t, err)
		var read Plan
		require.NoError(t, json.Unmarshal(b, &read))
		assert.Equal(t, c.hash, read.Hash(), "%s, as the input of a workflow", c.name)
	}
}
