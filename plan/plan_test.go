package plan

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustParse(t testing.TB, text string) Plan {
	t.Helper()
	p, err := Parse([]byte(text))
	require.NoError(t, err)
	return p
}

func TestTheHashIsStable(t *testing.T) {
	p := mustParse(t, smallest)
	// An approval of yesterday must still fit today's build: this value changes only with a reason
	// in the changelog.
	assert.Equal(t, "0113f79ef6ce", p.Hash())
	bare := Plan{Name: p.Name, Source: p.Source, Target: Target{Provider: ProviderLocal}}
	assert.Equal(t, p.Hash(), bare.Hash(), "defaults written or left out are the same plan")
}

func TestTheHashIgnoresTheOrderOfKeysAndApprovals(t *testing.T) {
	a := mustParse(t, edited(t, "approvals", `["finalize","purchase"]`))
	b := mustParse(t, edited(t, "approvals", `["purchase","finalize"]`))
	assert.Equal(t, a.Hash(), b.Hash())
	assert.Equal(t, []Gate{GatePurchase, GateFinalize}, a.Approvals)
}

func TestTheHashChangesWithEverySetting(t *testing.T) {
	seen := map[string]string{mustParse(t, smallest).Hash(): "unchanged"}
	for at, value := range map[string]string{
		"name": `"b"`, "source.nameServers": `["a:1"]`, "source.credentials": `{"env":"S"}`,
		"target": `{"provider":"existing","nameServers":["b:1"]}`, "target.version": `"5.5.0"`, "target.brokers": `2`,
		"topics.include": `["a"]`, "topics.exclude": `["a"]`, "topics.types": `{"a":"FIFO"}`, "topics.ordered": `["a"]`,
		"groups.include": `["a"]`, "groups.exclude": `["a"]`, "shift.steps": `[100]`, "shift.soak": `"1s"`, "shift.settle": `"1s"`, "shift.fenceBudget": `"20s"`,
		"replicate.heartbeat": `"3s"`, "replicate.batchMessages": `7`, "replicate.shards": `3`, "replicate.exactBorn": `true`, "replicate.syncInterval": `"4s"`, "approvals": `[]`,
		"traffic":  `{"mode":"gateway","gateways":["https://a:1"]}`,
		"metadata": `{"conflicts":"keep"}`, "metadata.topics": `{"a":"change"}`, "metadata.groups": `{"a":"change"}`,
		"metadata.kv": `["A"]`, "metadata.drift": `"follow"`,
	} {
		h := mustParse(t, edited(t, at, value)).Hash()
		assert.Empty(t, seen[h], "%s has the hash of another plan", at)
		assert.Regexp(t, `^[0-9a-f]{12}$`, h)
		seen[h] = at
	}
}

func TestATargetBehindAProxyIsKnownByItsAddress(t *testing.T) {
	behind := Plan{Name: "a", Target: Target{Provider: ProviderExisting, Proxy: "b:8080"}}
	assert.Equal(t, ClusterID([]string{"b:8080"}), behind.TargetID())
	assert.Equal(t, []string{"b:8080"}, behind.Target.Addresses())
	other := behind
	other.Target.Proxy = "c:8080"
	assert.NotEqual(t, behind.Hash(), other.Hash())
}

func TestDefaultsChangeNothingOfTheReceiver(t *testing.T) {
	p := Plan{
		Approvals: []Gate{GateFinalize, GatePurchase},
		Shift:     Shift{Steps: []int{100}},
		Topics:    TopicSelection{Selection: Selection{Include: []string{"a"}}},
	}
	d := p.WithDefaults()
	d.Shift.Steps[0], d.Topics.Include[0], d.Approvals[0] = 1, "b", GateShift
	assert.Equal(t, []Gate{GateFinalize, GatePurchase}, p.Approvals)
	assert.Equal(t, 100, p.Shift.Steps[0])
	assert.Equal(t, "a", p.Topics.Include[0])
	assert.True(t, reflect.DeepEqual(p.WithDefaults(), p.WithDefaults().WithDefaults()),
		"completing twice changes nothing")
}

func TestSelectionsTakeWhatIsIncludedAndNotExcluded(t *testing.T) {
	s := Selection{Include: []string{"order*", "pay-?"}, Exclude: []string{"*-test"}}
	for name, want := range map[string]bool{
		"order": true, "orders-eu": true, "orders-test": false, "pay-1": true, "pay-": false, "pay-12": false,
		"Order": false, "": false,
	} {
		assert.Equal(t, want, s.Match(name), name)
	}
	assert.True(t, Selection{}.Match("anything"), "an absent selection takes all")
	assert.False(t, Selection{Include: []string{}}.Match("anything"), "an empty list takes nothing")
}

func TestGlobsAgreeWithTheStandardLibrary(t *testing.T) {
	// Bytes of both texts are drawn from a few letters, so that stars meet repeats.
	draw := func(seed []byte, letters string) string {
		var b strings.Builder
		for _, s := range seed[:min(len(seed), 12)] {
			b.WriteByte(letters[int(s)%len(letters)])
		}
		return b.String()
	}
	agree := func(g, n []byte) bool {
		glob, name := draw(g, "ab*?*"), draw(n, "ab")
		want, err := path.Match(glob, name)
		return err == nil && want == match(glob, name)
	}
	require.NoError(t, quick.Check(agree, &quick.Config{MaxCount: 20_000}))
}

func TestAGlobOfManyStarsIsFast(t *testing.T) {
	matched := make(chan bool, 1)
	go func() { matched <- match(strings.Repeat("a*", 2000)+"b", strings.Repeat("a", 20_000)) }()
	select {
	case got := <-matched:
		assert.False(t, got)
	case <-time.After(5 * time.Minute): // 80 million steps are done in a second, all ways to divide the name among the stars never
		t.Fatal("it goes on")
	}
}

func TestOrderedTopicsComeFromGlobsAndTypes(t *testing.T) {
	p := Plan{
		Topics: TopicSelection{
			Types:   map[string]MessageType{"fifo": TypeFIFO, "plain": TypeNormal},
			Ordered: []string{"pay-*"},
		},
	}
	for topic, want := range map[string]bool{"fifo": true, "plain": false, "pay-1": true, "other": false} {
		assert.Equal(t, want, p.Ordered(topic), topic)
	}
}

func TestNamesThatMatchNothingAreFound(t *testing.T) {
	p := Plan{
		Topics: TopicSelection{
			Selection: Selection{Include: []string{"*", "order*", "pya"}, Exclude: []string{"gone"}},
			Types:     map[string]MessageType{"pay": TypeFIFO, "nix": TypeFIFO},
			Ordered:   []string{"zzz*"},
		},
		Groups: Selection{Include: []string{"g?", "h"}},
	}
	assert.Equal(t, []Problem{
		{Path: "topics.include[2]", Text: `"pya" matches no topic of the source`},
		{Path: "topics.ordered[0]", Text: `"zzz*" matches no topic of the source`},
		{Path: "groups.include[1]", Text: `"h" matches no group of the source`},
		{Path: "topics.types.nix", Text: "the source has no such topic"},
	}, p.Unmatched([]string{"orders", "pay"}, []string{"g1"}))
}

func TestNamesThatClashOnTheTargetAreFound(t *testing.T) {
	p := Plan{
		Topics: TopicSelection{
			Selection: Selection{Include: []string{"*"}, Exclude: []string{"out"}},
		}, Groups: Selection{Include: []string{"*"}},
		Target: Target{
			Rename: &Rename{
				Topics: map[string]string{"orders": "pay", "gone": "x", "out": "y"},
				Groups: map[string]string{"g": "h"},
			},
		},
	}
	assert.Equal(t, []Problem{
		{Path: "target.rename.topics.gone", Text: "no topic of that name moves"},
		{Path: "target.rename.topics.out", Text: "no topic of that name moves"},
		{
			Path: "target.rename.topics",
			Text: `topics "orders" and "pay" would both be "pay" on the target; give one of them another name`,
		},
	}, p.Unmatched([]string{"pay", "orders", "out"}, []string{"g"}))
	p.Target.Rename.Prefix = "eu-"
	assert.Equal(t, "eu-audit", p.Target.Topic("audit"))
	assert.Equal(t, "pay", p.Target.Topic("orders"))
	assert.Equal(t, "h", p.Target.Group("g"))
	assert.Empty(t, Target{}.Clashes([]string{"a"}, nil))

	bad := Target{Provider: ProviderExisting, NameServers: []string{"t:1"}, Rename: &Rename{
		Prefix: "eu/", Topics: map[string]string{"a": "same", "b": "same", "c": ""},
		Groups: map[string]string{"g": "%RETRY%g"},
	}}
	c := &Problems{}
	checkTarget(c, bad)
	var paths []string
	for _, one := range c.List {
		paths = append(paths, one.Path)
	}
	assert.ElementsMatch(t,
		[]string{"target.rename.prefix", "target.rename.topics.b", "target.rename.topics.c", "target.rename.groups.g"},
		paths)
}

func TestDurationsAreShortTexts(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"10s": 10 * time.Second, "1m": time.Minute, "1m30s": 90 * time.Second, "1h": time.Hour,
		"1h30m": 90 * time.Minute, "1h0m5s": time.Hour + 5*time.Second, "1.5ms": 1500 * time.Microsecond,
		"0s": 0,
	} {
		assert.Equal(t, text, Duration(d).String())
		var back Duration
		require.NoError(t, json.Unmarshal([]byte(`"`+text+`"`), &back))
		assert.Equal(t, Duration(d), back)
	}
	var d Duration
	assert.Error(t, json.Unmarshal([]byte(`5`), &d))
	assert.Error(t, json.Unmarshal([]byte(`"soon"`), &d))
}

func TestWavesDealTopicsOutByPercent(t *testing.T) {
	p := Plan{Shift: Shift{Steps: []int{25, 50, 100}}}
	assert.Equal(t, []Wave{
		{Step: 25, Topics: []string{"a", "b"}, Groups: []string{"g1", "g2"}},
		{Step: 50, Topics: []string{"c"}},
		{Step: 100, Topics: []string{"d", "e"}, Groups: []string{"g3"}},
	}, p.Waves(map[string][]string{"e": {"g3"}, "a": {"g2", "g1"}, "b": {"g1"}, "c": nil, "d": {"g2"}}))
	assert.Equal(t, []Wave{{Step: 25, Topics: []string{"only"}}}, p.Waves(map[string][]string{"only": nil}),
		"steps without a topic are left out")
	assert.Empty(t, p.Waves(nil))
}

func TestGatewayWavesDealGroupsOutByPercent(t *testing.T) {
	p := Plan{Shift: Shift{Steps: []int{1, 50, 100}}}
	readers := map[string][]string{"b": {"g3", "g1"}, "a": {"g2", "g1"}, "c": nil}
	assert.Equal(
		t,
		[]Wave{
			{Step: 1, Groups: []string{"g1"}},
			{Step: 50, Groups: []string{"g2"}},
			{Step: 100, Groups: []string{"g3"}},
		},
		p.GatewayWaves(readers),
	)
	assert.Equal(t, []string{"g1", "g2", "g3"}, AllReaders(readers))
	assert.Equal(t, []string{"a", "b", "c"}, AllTopics(readers))
	assert.Len(t, p.GatewayWaves(nil), 3, "homes move in every step, also where nobody reads")
}

func TestWavesHoldEveryTopicAndEveryReaderOnce(t *testing.T) {
	holds := func(links []uint16, seed []byte) bool {
		readers := map[string][]string{}
		for _, l := range links {
			topic, group := fmt.Sprintf("t%d", l%23), fmt.Sprintf("g%d", l/23%17)
			if !slices.Contains(readers[topic], group) {
				readers[topic] = append(readers[topic], group)
			}
		}
		steps := []int{100}
		for _, s := range seed {
			steps = append(steps, int(s)%99+1)
		}
		slices.Sort(steps)
		return everythingMovesOnce(Plan{Shift: Shift{Steps: slices.Compact(steps)}}.Waves(readers), readers)
	}
	require.NoError(t, quick.Check(holds, nil))
}

// everythingMovesOnce also asks that no group moves after the producers of a topic that it reads.
func everythingMovesOnce(waves []Wave, readers map[string][]string) bool {
	topicIn, groupIn, total := map[string]int{}, map[string]int{}, 0
	for i, w := range waves {
		for _, t := range w.Topics {
			topicIn[t] = i
		}
		for _, g := range w.Groups {
			groupIn[g] = i
			total++
		}
		if upTo := len(topicIn) * 100; upTo < w.Step*len(readers) || upTo >= w.Step*len(readers)+100 {
			return false // not the ceiling of the step's percentage
		}
	}
	for t, groups := range readers {
		in, ok := topicIn[t]
		if !ok {
			return false
		}
		for _, g := range groups {
			if at, ok := groupIn[g]; !ok || at > in {
				return false
			}
		}
	}
	return total == len(groupIn)
}

func TestAsksIsTrueForAllGatesUnlessThePlanSaysOtherwise(t *testing.T) {
	assert.Contains(t, Plan{}.WithDefaults().Approvals, GateShift)
	assert.NotContains(t, Plan{Approvals: []Gate{}}.WithDefaults().Approvals, GateShift)
	assert.Contains(t, Plan{Approvals: []Gate{GateFinalize}}.WithDefaults().Approvals, GateFinalize)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{smallest, full, `{}`, `[]`, `{"name":null}`, `{"shift":{"steps":[1e9,-0]}}`, `{"a":{"a":{"a":[[[]]]}}}`, `"`, "\x00", `{"name":"a"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		out, err := json.Marshal(p)
		require.NoError(t, err)
		again, err := Parse(out)
		require.NoError(t, err, "%s", out)
		require.Equal(t, p, again)
		require.Equal(t, p.Hash(), again.Hash())
		require.NoError(t, p.Validate())
	})
}

func TestClusterIDsAreStableWhateverTheOrderOfNameServers(t *testing.T) {
	assert.Equal(t, ClusterID([]string{"a:1", "b:1"}), ClusterID([]string{"b:1", "a:1"}))
	assert.NotEqual(t, ClusterID([]string{"a:1"}), ClusterID([]string{"a:2"}))
	p := Plan{Name: "orders", Source: Cluster{NameServers: []string{"a:1"}}, Target: Target{Provider: ProviderLocal}}
	assert.Equal(t, "orders", p.TargetID(), "a cluster that the migration makes has its name")
	assert.Len(t, p.SourceID(), 8)
	p.Source.ID, p.Target.ID = "old", "new"
	assert.Equal(t, "old", p.SourceID())
	assert.Equal(t, "new", p.TargetID())
}

func TestTheFenceBudgetIsAMinuteAndNeverLessThanSettlingTakes(t *testing.T) {
	assert.Equal(t, time.Minute, Shift{}.withDefaults().FenceLimit())
	assert.Equal(t, 4*time.Minute, Shift{Settle: Duration(2 * time.Minute)}.withDefaults().FenceLimit())
	assert.Equal(t, 20*time.Second,
		Shift{FenceBudget: Duration(20 * time.Second)}.withDefaults().FenceLimit())
}
