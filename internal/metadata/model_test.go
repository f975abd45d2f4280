package metadata

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata/rights"
)

func ref[T any](v T) *T { return &v }

// sample is a model with every setting that there is.
func sample() Cluster {
	c := New(Origin{Door: "cluster", Of: "127.0.0.1:9876"})
	c.Brokers = []Broker{{"broker-a", "DefaultCluster", "4.9.7"}, {"broker-b", "DefaultCluster", "4.9.7"}}
	c.Topics = []Topic{
		{
			Name: "orders", Type: "FIFO", Queues: []Queues{{"broker-a", 4, 4, 6}, {"broker-b", 8, 2, 4}}, Order: ref(true),
			Filter: "SINGLE_TAG", SysFlag: ref(0), Attributes: map[string]string{"queue.type": "BatchCQ"}, Remark: "von Ü\nzwei: #3",
		},
		{Name: "summed", Sum: &Queues{Read: 8, Write: 8, Perm: 6}},
		{Name: "true"},
	}
	c.Groups = []Group{
		{
			Name: "billing", Brokers: []string{"broker-a"}, Orderly: ref(false), Consume: ref(true), Broadcast: ref(false),
			FromMin: ref(true), Notify: ref(true), BrokerID: ref(int64(0)), SlowBroker: ref(int64(1)),
			TimeoutMinutes: ref(
				15,
			), SysFlag: ref(0), Attributes: map[string]string{"a": "b"}, Protocol: "TCP", Remark: "x",
			Retry: Retry{
				MaxTimes: ref(
					16,
				), Queues: ref(1), Policy: RetryExponential, Initial: ref(int64(5000)), Max: ref(int64(7200000)),
				Multiplier: ref(int64(2)), DeadLetterTopic: "dead",
			},
		},
		{Name: "fixed", Retry: Retry{Policy: RetryFixed, Milliseconds: []int64{1000}}},
	}
	c.Subscriptions = []Subscription{
		{"billing", "orders", "TAG", "a || b", SeenMembers},
		{"fixed", "orders", "SQL92", "a > 3 AND b = '~'", SeenSettings},
		{Group: "fixed", Topic: "true", Seen: SeenPositions},
	}
	c.Order = []Order{{"orders", "broker-a:4;broker-b:8"}}
	c.KV = []KV{{"NS", "key", "value with: colon"}}
	c.Users = []rights.User{{
		Name: "app", Type: rights.Normal, Status: rights.Enabled, DefaultTopic: rights.Deny, Addresses: "10.0.*.*",
		Rights: []rights.Right{{
			Resource: rights.TopicNamed("orders"), Actions: []rights.Action{rights.Send, rights.Read},
			Decision: rights.Allow, Sources: []string{"10.0.0.0/8"},
		}},
	}}
	return c
}

func TestADocumentReadsAsItWasWritten(t *testing.T) {
	want := sample()
	require.NoError(t, want.Check())
	for _, asJSON := range []bool{false, true} {
		var text, again bytes.Buffer
		_, err := Document{AsJSON: asJSON}.Write(&text, want)
		require.NoError(t, err)
		got, err := Parse("x", text.Bytes())
		require.NoError(t, err, text.String())
		require.Equal(t, want, got)
		_, err = Document{AsJSON: asJSON}.Write(&again, got)
		require.NoError(t, err)
		require.Equal(t, text.String(), again.String())
		require.Zero(t, Diff(want, got, Comparison{}).Total)
	}
}

func TestADocumentIsTheSameInAnyOrder(t *testing.T) {
	text := `{"version":1,"topics":[{"name":"b","queues":[{"broker":"y","read":1,"write":1},{"write":2,"read":2,"broker":"x"}]},` +
		`{"name":"a"}],"kind":"ClusterMetadata"}`
	got, err := Parse("x", []byte("\xef\xbb\xbf"+text))
	require.NoError(t, err)
	printed, err := got.YAML()
	require.NoError(t, err)
	require.Equal(t, `kind: ClusterMetadata
version: 1
topics:
- name: a
- name: b
  queues:
  - broker: x
    read: 2
    write: 2
  - broker: "y"
    read: 1
    write: 1
`, string(printed))
}

func TestABadDocumentEndsInOneErrorThatNamesFileAndKey(t *testing.T) {
	const head = "kind: ClusterMetadata\nversion: 1\n"
	deep := "{" + strings.Repeat(`"a":{`, 30)
	for name, of := range map[string]struct{ text, want string }{
		"empty":          {"", "m.yaml: it is empty"},
		"a list":         {"- a", "m.yaml: the document: it is a list; want an object with the keys of a model"},
		"other kind":     {"kind: Plan\nversion: 1", `m.yaml: kind "Plan" version 1: this release reads kind ClusterMetadata, version 1`},
		"later version":  {"kind: ClusterMetadata\nversion: 2", "version 2: this release reads"},
		"unknown key":    {head + "topics:\n- name: a\n  queue: []", "m.yaml: topics[0] (a).queue: unknown key; allowed: attributes, "},
		"wrong type":     {head + "topics:\n- name: a\n  queues:\n  - broker: b\n    read: four\n    write: 4", "topics[0] (a).queues[0].read: it is the text four; want a whole number"},
		"number as name": {head + "topics:\n- name: 12", "topics[0].name: it is the number 12; want text; put it into quotes"},
		"fraction":       {head + "topics:\n- name: a\n  sysFlag: 1.5", "sysFlag: it is the number 1.5; want a whole number"},
		"not a flag":     {head + "topics:\n- name: a\n  order: 1", "order: it is the number 1; want true or false"},
		"no list":        {head + "topics: {}", "topics: it is an object; want a list"},
		"empty entry":    {head + "topics: [null]", "topics[0]: the entry is empty"},
		"repeated key":   {head + "topics:\n- name: a\n  name: b", `key "name" already set in map`},
		"repeated in JSON": {
			`{"kind":"ClusterMetadata","version":1,"topics":[{"name":"a","name":"b"}]}`,
			"topics[0].name: the key is there twice",
		},
		"duplicate":     {head + "topics: [{name: a}, {name: a}]", "topics[1] (a): is there twice, at 0 and 1; keep one"},
		"no name":       {head + "groups: [{consume: true}]", `groups[0] ("").name: is empty; a name is needed`},
		"space":         {head + "groups: [{name: a b}]", `groups[0] ("a b").name: "a b" has a space`},
		"control":       {head + `groups: [{name: "a\u0007"}]`, `has a space or a character that isn't printed`},
		"long name":     {head + "groups: [{name: " + strings.Repeat("x", 300) + "}]", "has 300 bytes; at most 255"},
		"queues":        {head + "topics: [{name: a, queues: [{broker: b, read: 99999, write: 1}]}]", "queues[0].read: 99999 is out of range: 0 to 65536"},
		"negative":      {head + "topics: [{name: a, queues: [{broker: b, read: -1, write: 1}]}]", "-1 is out of range"},
		"huge":          {head + "groups: [{name: a, retry: {maxTimes: 99999999999999999999}}]", "retry.maxTimes: it is the number 100000000000000000000; want a whole number"},
		"broker twice":  {head + "topics: [{name: a, queues: [{broker: b, read: 1, write: 1}, {broker: b, read: 2, write: 1}]}]", "broker b is there twice"},
		"both":          {head + "topics: [{name: a, sum: {read: 1, write: 1}, queues: [{broker: b, read: 1, write: 1}]}]", "has both queues and sum"},
		"type":          {head + "topics: [{name: a, type: fifo}]", "topics[0] (a).type: fifo: allowed are [NORMAL FIFO"},
		"time":          {head + "origin: {measured: yesterday}", `origin.measured: it is the text yesterday; want a time such as`},
		"half written":  {`{"kind":"ClusterMetadata","version":1,"topics":[{"na`, "it ends too early: is it written whole?"},
		"two documents": {`{"kind":"ClusterMetadata","version":1}{}`, "something follows after the document"},
		"deep":          {deep, "nested deeper than any model"},
		"no YAML":       {"a: b: c", "it is neither YAML nor JSON"},
		"too long":      {strings.Repeat("#", MaxBytes+1), "it has more than the 33554432 bytes"},
		"anchors": {head + "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
			"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]", "m.yaml: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("m.yaml", []byte(of.text))
			require.ErrorContains(t, err, of.want)
			var p *Problem
			require.ErrorAs(t, err, &p)
			require.Less(t, len(err.Error()), 500)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestDifferencesAreListedByObjectAndField(t *testing.T) {
	a, b := sample(), sample()
	b.Topics = b.Topics[:2]
	b.Topics[0].Queues = []Queues{{"broker-a", 4, 8, 6}}
	b.Topics[0].Attributes = nil
	b.Groups = append(b.Groups, Group{Name: "new"})
	b.Groups[0].Retry.Policy = ""
	b.Subscriptions[0].Seen = SeenPositions
	got := Diff(a, b, Comparison{})
	require.Equal(t, []Difference{
		{Changed, "topic orders", "queues.broker-a.write", "4", "8"},
		{Changed, "topic orders", "queues.broker-b.read", "8", ""},
		{Changed, "topic orders", "queues.broker-b.write", "2", ""},
		{Changed, "topic orders", "queues.broker-b.perm", "4", ""},
		{Changed, "topic orders", `attributes.queue.type`, "BatchCQ", ""},
		{Change: Removed, Object: "topic true"},
		{Changed, "group billing", "retry.policy", "EXPONENTIAL", ""},
		{Change: Added, Object: "group new"},
	}, got.List)
	require.Equal(t, len(got.List), got.Total)

	bounded := Diff(a, b, Comparison{Most: 2})
	require.Len(t, bounded.List, 2)
	require.Equal(t, 8, bounded.Total)

	known := Diff(a, b, Comparison{OnlyKnown: true})
	require.Equal(t, 3, known.Total, known.List)
	sheet := New(Origin{})
	sheet.Topics = []Topic{{Name: "orders"}, {Name: "summed", Type: "DELAY"}, {Name: "true"}}
	require.Zero(t, Diff(a, sheet, Comparison{OnlyKnown: true}).Total, "what a sheet doesn't tell is no difference")
}

func TestSeveralReadingsAreOneModel(t *testing.T) {
	a := New(Origin{Door: "store", Of: "a"})
	a.Topics = []Topic{
		{Name: "t", Queues: []Queues{{"a", 4, 4, 6}}, Order: ref(false)},
		{Name: "s", Sum: &Queues{Read: 2, Write: 2}},
	}
	a.Groups = []Group{{Name: "g", Brokers: []string{"a"}, Retry: Retry{MaxTimes: ref(16)}}}
	a.Subscriptions = []Subscription{{Group: "g", Topic: "t", Seen: SeenPositions}}
	b := New(Origin{Door: "store", Of: "b"})
	b.Topics = []Topic{
		{Name: "t", Queues: []Queues{{"b", 2, 2, 6}, {"a", 5, 5, 6}}, Order: ref(true)},
		{Name: "s", Queues: []Queues{{"b", 2, 2, 6}}},
	}
	b.Groups = []Group{{Name: "g", Brokers: []string{"b"}, Retry: Retry{MaxTimes: ref(3), Queues: ref(2)}}}
	b.Subscriptions = []Subscription{{"g", "t", "TAG", "*", SeenMembers}}
	got, gaps := Join(a, b)
	require.NoError(t, got.Check())
	want := New(Origin{Door: "store", Of: "a"})
	want.Topics = []Topic{
		{Name: "s", Queues: []Queues{{"b", 2, 2, 6}}},
		{Name: "t", Queues: []Queues{{"a", 4, 4, 6}, {"b", 2, 2, 6}}, Order: ref(false)},
	}
	want.Groups = []Group{{Name: "g", Brokers: []string{"a", "b"}, Retry: Retry{MaxTimes: ref(16), Queues: ref(2)}}}
	want.Subscriptions = []Subscription{{"g", "t", "TAG", "*", SeenMembers}}
	require.Equal(t, want, got)
	var told []string
	for _, g := range gaps {
		told = append(told, g.String())
	}
	require.Equal(t, []string{
		"queues on one broker of a topic: told differently: the first one's counts (t)",
		"order of a topic: told differently: the first one's counts (t)",
		"retry.maxTimes of a group: told differently: the first one's counts (g)",
	}, told)
}

func TestGapsStaySmallWhateverTheyAreAbout(t *testing.T) {
	var gaps Gaps
	for i := range 10_000 {
		gaps.Add("queues of topics", "a sheet has none", fmt.Sprintf("t%d", i))
	}
	gaps.Add("users", "a sheet has none")
	require.Len(t, gaps, 2)
	require.Equal(t, "queues of topics: a sheet has none (t0, t1, t2, t3, t4 and 9995 more)", gaps[0].String())
	require.Equal(t, "users: a sheet has none", gaps[1].String())
	all := slicesOf(gaps)
	all.Join(gaps)
	require.Len(t, all, 2)
	require.Equal(t, 20_000, all[0].Objects)
	require.Len(t, all[0].Examples, 5)
}

func slicesOf(gaps Gaps) Gaps { return append(Gaps{}, gaps...) }

func FuzzParse(f *testing.F) {
	text, err := sample().YAML()
	require.NoError(f, err)
	f.Add(text)
	f.Add(
		[]byte(
			`{"kind":"ClusterMetadata","version":1,"topics":[{"name":"a","queues":[{"broker":"b","read":1,"write":1}]}]}`,
		),
	)
	f.Add([]byte("kind: ClusterMetadata\nversion: 1\ntopics: [null"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 {
			return // longer ones cost time and show no more
		}
		c, err := Parse("x", text)
		if err != nil {
			return
		}
		printed, err := c.YAML()
		require.NoError(t, err)
		again, err := Parse("x", printed)
		require.NoError(t, err, string(printed))
		require.Zero(t, Diff(c, again, Comparison{}).Total)
	})
}
