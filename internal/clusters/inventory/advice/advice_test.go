package advice

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func shop() facts.Facts {
	topic := map[string]rocketmq.TopicConfig{"a": {ReadQueues: 4, WriteQueues: 4, Perm: 6}}
	group := map[string]rocketmq.Group{"a": {RetryMaxTimes: 16}}
	return facts.Facts{
		TopicNames: []string{"clicks", "orders", "payments"}, GroupNames: []string{"billing", "stats"},
		Topics: clusters.TopicTable{"clicks": topic, "orders": topic, "payments": topic},
		Groups: clusters.GroupTable{"billing": group, "stats": group},
		Types: map[string]plan.MessageType{
			"clicks":   plan.TypeNormal,
			"orders":   plan.TypeFIFO,
			"payments": plan.TypeNormal,
		},
		Readers: map[string][]string{"orders": {"billing"}, "payments": {"billing"}, "clicks": {"stats"}},
		Orderly: map[string]bool{"billing": true},
		Online:  map[string]clusters.Connections{"billing": {Members: map[string]clusters.Member{"c": {}}}},
		Members: map[string]map[string]facts.Member{"billing": {"c": {Orderly: true}}},
		Samples: map[string]metadata.Sample{
			"orders": {Looked: 7, Kinds: map[plan.MessageType]bool{plan.TypeFIFO: true}},
		},
		Messages: map[string]int64{"clicks": 1000, "orders": 1},
		Runtime: map[string]map[string]string{"a": {
			"putTps": "10.0 250.5 100", "getTransferedTps": "30 20 10", "putMessageAverageSize": "5000",
			"putMessageTimesTotal": "100",
		}},
	}
}

func TestEachTopicAndGroupIsRecommendedWithItsEvidence(t *testing.T) {
	r := Of(shop(), map[string]bool{"orders": true})
	require.Len(t, r.Topics, 3)
	assert.Equal(t, plan.TypeFIFO, r.Topics[1].Type)
	assert.Equal(t, 4, r.Topics[1].Queues)
	assert.Contains(t, r.Topics[1].Why, "7 messages sampled are of FIFO")
	assert.Contains(t, r.Topics[0].Why, "no message to look at")
	require.Len(t, r.Groups, 2)
	assert.True(t, r.Groups[0].Orderly)
	assert.Equal(t, 16, r.Groups[0].MaxRetries)
	assert.Contains(t, r.Groups[0].Why, "1 connected")
	assert.Contains(t, r.Groups[1].Why, "no member is connected")
}

func TestNothingIsSaidForMembersThatDontAnswer(t *testing.T) {
	seen := shop()
	seen.Orderly, seen.Members = nil, nil
	assert.Contains(t, Of(seen, nil).Groups[0].Why, "no member (1 connected) says whether it reads in order")
}

func TestTheTargetsSizeIsWhatBrokersCounted(t *testing.T) {
	s := Of(shop(), nil).Size
	assert.InDelta(t, 250.5, s.Sends, 0.01, "the busiest of the times that brokers tell")
	assert.InDelta(t, 30, s.Receives, 0.01)
	assert.InDelta(t, 501, s.SendUnits, 0.01, "5000 bytes are two units of 4 KiB")
	assert.Equal(t, 12, s.Queues)
	assert.Equal(t, 1, s.Clients)
}

func TestWavesKeepTogetherWhatAGroupReads(t *testing.T) {
	w := Of(shop(), map[string]bool{"orders": true}).Waves
	require.Len(t, w, 2)
	assert.Equal(t, []string{"clicks"}, w[0].Topics, "without an order first, though it holds more")
	assert.Equal(t, []string{"orders", "payments"}, w[1].Topics)
	assert.Equal(t, []string{"billing"}, w[1].Groups)
	assert.Contains(t, w[1].Why, "in order")
}

func TestVeryManyPartsAreFewWaves(t *testing.T) {
	seen := facts.Facts{}
	for i := range 10_000 {
		seen.TopicNames = append(seen.TopicNames, fmt.Sprintf("t-%05d", i))
	}
	w := waves(seen, nil)
	require.Len(t, w, mostWaves)
	assert.Len(t, w[mostWaves-1].Topics, 10_000-mostWaves+1)
}

func TestNamesThatChangeNeedAReleaseOfApplications(t *testing.T) {
	seen := shop()
	assert.Equal(t, plan.ModeGateway, traffic(seen, nil).Mode)
	seen.Plan.Target.Rename = &plan.Rename{Prefix: "eu-"}
	assert.Equal(t, plan.ModeRelease, traffic(seen, nil).Mode)
}

func TestABrokerThatHasJustStartedTellsItsAverages(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	table := map[string]string{
		"putTps": " ", "bootTimestamp": fmt.Sprint(at.Add(-20 * time.Second).UnixMilli()), "msgPutTotalTodayNow": "2000",
		"msgGetTotalTodayNow": "4000",
	}
	sends, receives := Rates(table, at)
	assert.InDelta(t, 100, sends, 0.01)
	assert.InDelta(t, 200, receives, 0.01)
	table["putTps"] = "7 8 9"
	sends, _ = Rates(table, at)
	assert.InDelta(t, 9, sends, 0.01, "what it tells itself is more to the point")
}

func TestThePeakOfAnObservationIsTheSize(t *testing.T) {
	seen := shop()
	seen.Watched = &facts.Watched{Sends: 900, Span: 24 * time.Hour}
	s := Of(seen, nil).Size
	assert.InDelta(t, 900, s.Sends, 0.01)
	assert.InDelta(t, 30, s.Receives, 0.01, "more now than ever before")
	assert.Contains(t, s.Why, "24h0m0s of observation")
}
