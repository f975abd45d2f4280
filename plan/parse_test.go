package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const smallest = `{"name":"orders-2026","source":{"nameServers":["127.0.0.1:9876"]},"target":{"provider":"local"}}`

// edited is the smallest plan with one more or another value, at a path such as target.provider.
func edited(t *testing.T, path string, value string) string {
	t.Helper()
	var tree map[string]any
	require.NoError(t, json.Unmarshal([]byte(smallest), &tree))
	at, keys := tree, strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		inner, ok := at[k].(map[string]any)
		if !ok {
			inner = map[string]any{}
			at[k] = inner
		}
		at = inner
	}
	at[keys[len(keys)-1]] = json.RawMessage(value)
	b, err := json.Marshal(tree)
	require.NoError(t, err)
	return string(b)
}

func TestTheSmallestPlanGetsAllDefaults(t *testing.T) {
	p, err := Parse([]byte(smallest))
	require.NoError(t, err)
	assert.Equal(t, Plan{
		Name:    "orders-2026",
		Source:  Cluster{NameServers: []string{"127.0.0.1:9876"}},
		Target:  Target{Provider: ProviderLocal, Version: "5.3.3", Brokers: 1},
		Topics:  TopicSelection{Selection: Selection{Include: []string{"*"}, Exclude: []string{}}},
		Groups:  Selection{Include: []string{"*"}, Exclude: []string{}},
		Traffic: Traffic{Mode: ModeRelease},
		Shift: Shift{
			Steps:  []int{25, 50, 100},
			Soak:   Duration(10 * time.Second),
			Settle: Duration(6 * time.Second),
		},
		Replicate: Replicate{
			Heartbeat:     Duration(10 * time.Minute),
			BatchMessages: 300,
			SyncInterval:  Duration(3 * time.Second),
		},
		Approvals: []Gate{GatePurchase, GateShift, GateFinalize},
	}, p)
	assert.Equal(t, "migration-orders-2026", p.WorkflowID())
	assert.Equal(t, "rocketshift-orders-2026", p.LaneGroup())
}

// full sets every key to something that is not its default.
const full = `{
  "name": "a", "source": {"nameServers": ["h1:1", "h2:65535"], "id": "prod-4", "credentials": {"env": "SOURCE"}},
  "target": {"provider": "existing", "nameServers": ["[fd00::1]:9876"], "id": "prod-5", "credentials": {"env": "TARGET_2"},
    "rename": {"prefix": "eu-", "topics": {"order.old": "orders"}, "groups": {"g.1": "g1"}}},
  "topics": {"include": ["order*", "pay-?"], "exclude": ["*-test"], "types": {"order.new": "FIFO", "pay-1": "MIXED"}, "ordered": ["pay-*"]},
  "groups": {"include": [], "exclude": ["%RETRY%*"]}, "traffic": {"mode": "release"},
  "shift": {"steps": [1, 100], "soak": "1m30s", "settle": "1ms"},
  "replicate": {"heartbeat": "2s", "batchMessages": 1000, "shards": 64, "exactBorn": true, "oneWay": true, "syncInterval": "10m"}, "approvals": []}`

func TestEveryKeyIsRead(t *testing.T) {
	p, err := Parse([]byte(full))
	require.NoError(t, err)
	assert.Equal(t, Plan{
		Name: "a",
		Source: Cluster{
			NameServers: []string{"h1:1", "h2:65535"},
			ID:          "prod-4",
			Credentials: &Credentials{Env: "SOURCE"},
		},
		Target: Target{
			Provider: ProviderExisting, NameServers: []string{"[fd00::1]:9876"}, ID: "prod-5", Credentials: &Credentials{Env: "TARGET_2"},
			Rename: &Rename{
				Prefix: "eu-",
				Topics: map[string]string{"order.old": "orders"},
				Groups: map[string]string{"g.1": "g1"},
			},
		},
		Topics: TopicSelection{
			Selection: Selection{Include: []string{"order*", "pay-?"}, Exclude: []string{"*-test"}},
			Types:     map[string]MessageType{"order.new": TypeFIFO, "pay-1": TypeMixed}, Ordered: []string{"pay-*"},
		},
		Groups:  Selection{Include: []string{}, Exclude: []string{"%RETRY%*"}},
		Traffic: Traffic{Mode: ModeRelease},
		Shift:   Shift{Steps: []int{1, 100}, Soak: Duration(90 * time.Second), Settle: Duration(time.Millisecond)},
		Replicate: Replicate{
			Heartbeat:     Duration(2 * time.Second),
			BatchMessages: 1000,
			Shards:        64,
			ExactBorn:     true,
			OneWay:        true,
			SyncInterval:  Duration(10 * time.Minute),
		},
		Approvals: []Gate{},
	}, p)
}

func TestAPlanReadsBackFromItsOwnJSON(t *testing.T) {
	for _, text := range []string{smallest, full} {
		p, err := Parse([]byte(text))
		require.NoError(t, err)
		b, err := json.Marshal(p)
		require.NoError(t, err)
		again, err := Parse(b)
		require.NoError(t, err, "%s", b)
		assert.Equal(t, p, again)

		var decoded Plan
		require.NoError(t, json.Unmarshal(b, &decoded))
		assert.Equal(t, p, decoded, "the same through the workflow's data converter")
	}
}

func TestAnEmptyPlanPassesThroughJSON(t *testing.T) {
	b, err := json.Marshal(struct {
		Plan Plan `json:"plan"`
	}{})
	require.NoError(t, err)
	var out struct {
		Plan Plan `json:"plan"`
	}
	require.NoError(t, json.Unmarshal(b, &out), "%s", b)
	assert.Equal(t, Plan{}, out.Plan)
}

// What runs was judged before it began: a key or a value that only another release knows doesn't
// stop it.
func TestAPlanThatRunsIsReadWithoutRulesAndDefaults(t *testing.T) {
	var p Plan
	require.NoError(t, json.Unmarshal([]byte(edited(t, "target.region", `"eu"`)), &p))
	require.NoError(t, json.Unmarshal([]byte(edited(t, "target.provider", `"cloud"`)), &p))
	assert.Equal(t, "cloud", p.Target.Provider)
	assert.Empty(t, p.Shift.Steps)
	assert.Nil(t, p.Approvals)
}

func TestBadValuesAreRefusedWithTheirPathAndWhatIsAllowed(t *testing.T) {
	for _, c := range []struct{ path, value, want string }{
		{"nam", `"x"`, "nam: unknown key; allowed: approvals, groups, metadata, name, replicate, shift, source, " +
			"target, topics, traffic, users"},
		{"target.provder", `"local"`, "target.provder: unknown key; allowed: addresses, aliyun, brokers, cluster, " +
			"credentials, id, maxDelay, nameServers, provider, proxy, rename, version"},
		{"topics.includes", `[]`, "topics.includes: unknown key; allowed: exclude, include, ordered, types"},
		{"source.credentials.accessKey", `"AK"`, "source.credentials.accessKey: unknown key; allowed: env"},
		{"shift.a b", `1`, `shift["a b"]: unknown key; allowed: fenceBudget, settle, soak, steps`},
		{"name", `7`, "name: it is the number 7; want text"},
		{"name", `""`, "name: missing or empty; allowed: 1 to 40 small letters"},
		{"name", `"Orders"`, `name: "Orders"; allowed: 1 to 40 small letters`},
		{"name", `"-a"`, "no hyphen first or last"},
		{"name", `"` + strings.Repeat("a", 41) + `"`, "allowed: 1 to 40"},
		{"source", `[]`, "source: it is a list; want an object with keys"},
		{"source.nameServers", `"127.0.0.1:9876"`, "source.nameServers: it is text; want a list of texts"},
		{"source.nameServers", `[]`, "source.nameServers: missing; want at least one host:port"},
		{"source.nameServers", `[1]`, "source.nameServers[0]: it is the number 1; want text"},
		{"source.nameServers", `["a:1", null]`, "source.nameServers[1]: the entry is empty; want a list of texts"},
		{"source.nameServers", `["a:1;b:1"]`, `source.nameServers[0]: "a:1;b:1" holds several addresses; want one host:port per entry`},
		{"source.nameServers", `["http://a:1"]`, "is a URL; want host:port"},
		{"source.nameServers", `["a"]`, `source.nameServers[0]: "a"; want host:port, such as "10.0.0.1:9876"`},
		{"source.nameServers", `["a:0"]`, `"a:0"; want host:port`},
		{"source.nameServers", `["a:65536"]`, `"a:65536"; want host:port`},
		{"source.nameServers", `[":9876"]`, `":9876"; want host:port`},
		{"source.nameServers", `["a:1","A:1"]`, `source.nameServers[1]: "A:1" is there twice; keep one`},
		{"source.cluster", `"a b"`, `source.cluster: "a b"; want the name of a cluster`},
		{"source.addresses", `{"a":"b:1"}`, `source.addresses["a"]: "a"; want host:port`},
		{"source.addresses", `{"a:1":"b"}`, `source.addresses["a:1"]: "b"; want host:port`},
		{"target.addresses", `{"a:1":"b:1"}`, "target.addresses: the brokers of a local cluster can be reached"},
		{"source.leftOut", `["a","a"]`, `source.leftOut[1]: "a" is there twice; keep one`},
		{"source.readSlaves", `["a","a"]`, `source.readSlaves[1]: "a" is there twice; keep one`},
		{"source.readSlaves", `["a,b"]`, `source.readSlaves[0]: "a,b"; want the name of a broker`},
		{
			"source", `{"nameServers":["a:1"],"leftOut":["a"],"readSlaves":["a"]}`,
			`source.readSlaves[0]: "a" is left out by source.leftOut`,
		},
		{"source.leftOut", `["a,b"]`, `source.leftOut[0]: "a,b"; want the name of a broker`},
		{"target.cluster", `"b"`, `target.cluster: only name servers know several clusters`},
		{"source.credentials", `{"env":"my-Key"}`, "source.credentials.env: want a prefix of environment variables"},
		{"source.credentials", `{}`, "source.credentials.env: want a prefix of environment variables"},
		{"target", `{}`, "target.provider: missing or empty; allowed: local, existing"},
		{"target", `{"provider":"aliyun"}`, `target.aliyun: missing; provider aliyun wants what to buy: region, vpc, vSwitches, specification`},
		{"target", `{"provider":"existing"}`, "target.nameServers: missing; provider existing wants"},
		{"target", `{"provider":"existing","nameServers":["b:1"],"version":"5.3.3","brokers":2}`, "target.brokers: an existing cluster has its own"},
		{"target", `{"provider":"existing","nameServers":["b:1"],"version":"5.3.3"}`, "target.version: an " +
			"existing cluster has its own"},
		{"target", `{"provider":"existing","nameServers":["LOCALHOST:09876"]}`, "target.nameServers[0]: " +
			"\"LOCALHOST:09876\" is a name server of the source too"},
		{"target", `{"provider":"existing","nameServers":["b:1"],"proxy":"b:2"}`, "target.proxy: " +
			"target.nameServers is given too; want one of them"},
		{"target", `{"provider":"existing","proxy":"b"}`, `target.proxy: "b"; want host:port`},
		{"target", `{"provider":"existing","proxy":"127.0.0.1:9876"}`, `target.proxy: "127.0.0.1:9876" is a name server of the source too`},
		{"target", `{"provider":"existing","proxy":"b:2"}`, "target.proxy: set; behind a proxy groups can't " +
			"be closed, nor topics: set traffic.mode gateway"},
		{"target", `{"provider":"local","proxy":"b:2"}`, "target.proxy: the brokers of a local cluster can be reached"},
		{"target.nameServers", `["b:1"]`, "target.nameServers: the local provider starts a cluster of its own"},
		{"target.credentials", `{"env":"T"}`, "target.credentials: a local cluster has none"},
		{"target.version", `"4.9.7"`, `target.version: "4.9.7"; allowed: a 5.x release such as "5.3.3"`},
		{"target.brokers", `9`, "target.brokers: 9; allowed: 1 to 8"},
		{"target.brokers", `0`, "target.brokers: 0 means nothing here; leave the key out"},
		{"target.brokers", `1.5`, "target.brokers: it is the number 1.5; want a whole number"},
		{"target.brokers", `"1"`, "target.brokers: it is text; want a whole number"},
		{"topics.include", `[]`, "topics.include: the list is empty, so nothing would move"},
		{"topics.include", `["a b"]`, `topics.include[0]: "a b"; want a name in which * stands for any characters`},
		{"topics.exclude", `["[ab]"]`, "topics.exclude[0]"},
		{"topics.ordered", `[""]`, "topics.ordered[0]: missing or empty; want a name"},
		{"topics.types", `{"t":"ORDER"}`, `topics.types.t: "ORDER"; allowed: NORMAL, FIFO, DELAY, TRANSACTION, MIXED`},
		{"topics.types", `{"t.*":"FIFO"}`, `topics.types["t.*"]: the key must be one topic's name`},
		{"topics.types", `{"t":true}`, "topics.types.t: it is true; want text"},
		{"groups.include", `["a,b"]`, "groups.include[0]"},
		{"groups.exclude", `{}`, "groups.exclude: it is an object; want a list of texts"},
		{"traffic.mode", `"gateway"`, `traffic.gateways: missing; want the host:port of each gateway's control API`},
		{"traffic.mode", `"blue"`, `traffic.mode: "blue"; allowed: release, gateway`},
		{"traffic", `{"gateways": ["a:1"]}`, `traffic.gateways: they are of use in mode gateway only; leave them and credentials out, or set traffic.mode`},
		{"traffic", `{"mode": "gateway", "gateways": ["a:1", "b:1", "a:1"]}`, `traffic.gateways[2]: "a:1"; it is there twice`},
		{
			"traffic", `{"mode": "gateway", "gateways": ["https://a:1", "a:1"]}`,
			`traffic.gateways[1]: "a:1" is there twice; keep one`,
		},
		{
			"traffic", `{"mode": "gateway", "gateways": ["https://a"]}`,
			`traffic.gateways[0]: "a"; want host:port`,
		},
		{
			"traffic", `{"mode": "gateway", "gateways": ["https://u:p@a:1"]}`,
			`traffic.gateways[0]: "u:p@a:1"; want host:port`,
		},
		{
			"traffic", `{"mode": "gateway", "gateways": ["http://a:1"]}`,
			`traffic.gateways[0]: "http://a:1" is a URL; want host:port`,
		},
		{"traffic", `{"mode": "gateway", "gateways": ["a"]}`, `traffic.gateways[0]: "a"; want host:port, such as "10.0.0.1:9876"`},
		{"traffic", `{"mode": "gateway", "gateways": ["a:1"], "credentials": {"env": "token"}}`, `traffic.credentials.env: want a prefix of environment variables, capital letters, digits and _, such as GATEWAY for GATEWAY_TOKEN; never the token itself`},
		{"shift.steps", `[]`, "shift.steps: the list is empty; want percentages that rise to 100"},
		{"shift.steps", `[50]`, "shift.steps[0]: 50; the last step must be 100"},
		{"shift.steps", `[50, 50, 100]`, "shift.steps[1]: 50 after 50; each step must be higher"},
		{"shift.steps", `[0, 100]`, "shift.steps[0]: 0; allowed: 1 to 100 percent"},
		{"shift.steps", `[101]`, "shift.steps[0]: 101; allowed: 1 to 100 percent"},
		{"shift.steps", `["25%"]`, "shift.steps[0]: it is text; want a whole number"},
		{"shift.soak", `10`, `shift.soak: it is the number 10; want a duration as text, such as "10s"`},
		{"shift.soak", `"ten"`, `shift.soak: "ten" is no duration; want text such as "10s"`},
		{"shift.soak", `"0s"`, "shift.soak: 0 means nothing here"},
		{"shift.soak", `"-1s"`, "shift.soak: -1s; allowed: 1ms to 168h"},
		{"shift.settle", `"11m"`, "shift.settle: 11m; allowed: 1ms to 10m"},
		{"shift.fenceBudget", `"5s"`, "shift.fenceBudget: 5s; allowed: 6s to 1h"},
		{"replicate.heartbeat", `"1s"`, "replicate.heartbeat: 1s; allowed: 2s to 10m"},
		{"source.id", `"a,b"`, "source.id: \"a,b\"; want 1 to 32 letters, digits and . _ -"},
		{"replicate.shards", `65`, "replicate.shards: 65; allowed: 1 to 64"},
		{"replicate.exactBorn", `"yes"`, "replicate.exactBorn: it is text; want true or false"},
		{"replicate.batchMessages", `1001`, "replicate.batchMessages: 1001; allowed: 1 to 1000"},
		{"replicate.batchMessages", `99999999999999999999`, "want a whole number"},
		{"replicate.syncInterval", `"1ms"`, "replicate.syncInterval: 1ms; allowed: 100ms to 10m"},
		{"approvals", `["shfit"]`, `approvals[0]: "shfit"; allowed: purchase, shift, finalize`},
		{"approvals", `["shift","shift"]`, `approvals[1]: "shift" is there twice; keep one`},
		{"approvals", `"shift"`, "approvals: it is text; want a list of texts"},
	} {
		t.Run(c.path+" "+c.value, func(t *testing.T) {
			_, err := Parse([]byte(edited(t, c.path, c.value)))
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

func TestDocumentsThatAreNoPlanAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                        "not a plan in JSON: it ends too early",
		`{"name":`:                "not a plan in JSON: it ends too early",
		`[]`:                      "the document is a list; want an object",
		`null`:                    "the document is empty; want an object",
		`"x"`:                     "the document is text; want an object",
		smallest + `{}`:           "something follows after the document",
		`{"name":"a","name":"b"}`: "name: the key is there twice; keep one",
		`{"source":{"nameServers":["a:1"],"nameServers":["b:1"]}}`: "source.nameServers: the key is there twice",
		strings.Repeat(" ", MaxBytes) + smallest:                   "allowed: up to 262144; use globs",
		strings.Repeat("[", 1000):                                  "nested deeper than any plan",
	} {
		_, err := Parse([]byte(text))
		assert.ErrorContains(t, err, want, "%.60s", text)
	}
}

func TestAllProblemsAreToldAtOnceAndEachOnlyOnce(t *testing.T) {
	_, err := Parse([]byte(`{"nam":"x","source":7,"target":{"provider":"cloud"},"shift":{"soak":true}}`))
	var problems *Problems
	require.True(t, errors.As(err, &problems))
	var paths []string
	for _, p := range problems.List {
		paths = append(paths, p.Path)
	}
	assert.ElementsMatch(t, []string{"nam", "name", "source", "target.provider", "shift.soak"}, paths)
}

func TestManyProblemsAreCountedNotListed(t *testing.T) {
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf(`"k%d":1`, i))
	}
	_, err := Parse([]byte("{" + strings.Join(keys, ",") + "}"))
	assert.ErrorContains(t, err, "; and 18")
	assert.Less(t, len(err.Error()), 5000)
}

func TestAPastedKeyIsNeverRepeated(t *testing.T) {
	const secret = "pk-9aF3kQ2x7LmZ"
	for path, value := range map[string]string{
		"source.credentials":           `"` + secret + `"`,
		"source.credentials.env":       `"` + secret + `"`,
		"source.credentials.secretKey": `"` + secret + `"`,
		"target.credentials":           `["` + secret + `"]`,
	} {
		_, err := Parse([]byte(edited(t, path, value)))
		require.Error(t, err, path)
		assert.NotContains(t, err.Error(), secret, path)
	}
}

func TestAnEmptiedKeyCountsAsAbsent(t *testing.T) {
	want, err := Parse([]byte(smallest))
	require.NoError(t, err)
	for _, path := range []string{"approvals", "topics", "topics.exclude", "groups.include", "shift.soak", "shift.steps", "target.brokers", "source.credentials"} {
		p, err := Parse([]byte(edited(t, path, "null")))
		require.NoError(t, err, path)
		assert.Equal(t, want, p, path)
	}
}

func TestValidateJudgesAPlanBuiltInCode(t *testing.T) {
	p := Plan{Name: "x", Source: Cluster{NameServers: []string{"a:1"}}, Target: Target{Provider: ProviderLocal}}
	require.NoError(t, p.Validate())
	p.Shift.Steps = []int{10}
	assert.EqualError(t, p.Validate(), "plan: shift.steps[0]: 10; the last step must be 100")
}
