// Package advice says what is recommended for a migration, from what one look at the source saw.
package advice

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Of is what is recommended. orderedTopics are those whose order must survive the producers' move.
func Of(seen facts.Facts, ordered map[string]bool) *api.Recommended {
	return &api.Recommended{
		Topics: topics(seen), Groups: groups(seen), Size: size(seen), Traffic: traffic(seen, ordered),
		Waves: waves(seen, ordered),
	}
}

func topics(seen facts.Facts) (all []api.RecommendedTopic) {
	for _, name := range seen.TopicNames {
		all = append(all, api.RecommendedTopic{
			Name: name, Type: seen.Types[name], Queues: len(seen.Topics.Queues(name)), Why: whyType(seen, name),
		})
	}
	return all
}

func whyType(seen facts.Facts, name string) string {
	sample := seen.Samples[name]
	if chosen, is := seen.Plan.Topics.Types[name]; is {
		return fmt.Sprintf("topics.types of the plan says %s", chosen)
	}
	if sample.Looked == 0 {
		return "no message to look at: NORMAL until topics.types says otherwise"
	}
	var kinds []string
	for _, kind := range []plan.MessageType{
		plan.TypeNormal, plan.TypeFIFO, plan.TypeDelay, plan.TypeTransaction,
	} {
		if sample.Kinds[kind] {
			kinds = append(kinds, string(kind))
		}
	}
	return fmt.Sprintf("%d messages sampled are of %s; as many queues as on the source, so that keys stay in theirs",
		sample.Looked, strings.Join(kinds, " and "))
}

// unlimited is the number of retries of orderly members without one of their own (4.x
// DefaultMQPushConsumer): messages stay at the head of their queue.
const unlimited = math.MaxInt32

func groups(seen facts.Facts) (all []api.RecommendedGroup) {
	for _, name := range seen.GroupNames {
		of := api.RecommendedGroup{Name: name, Orderly: seen.Orderly[name], MaxRetries: retries(seen.Groups[name])}
		switch members := len(seen.Online[name].Members); {
		case members == 0:
			of.Why = "no member is connected: concurrent, as most are; its settings on the source say the retries"
		case len(seen.Members[name]) == 0:
			of.Why = fmt.Sprintf(
				"no member (%d connected) says whether it reads in order: concurrent, as most are; its "+
					"settings on the source say the retries",
				members,
			)
		case of.Orderly:
			of.Why = fmt.Sprintf(
				"its members say so (%d connected); on the source they retry %d times unless they set "+
					"a number of their own, so give the group one on purpose",
				members,
				unlimited,
			)
		default:
			of.Why = fmt.Sprintf(
				"its members say so (%d connected); its settings on the source say the retries",
				members,
			)
		}
		all = append(all, of)
	}
	return all
}

func retries(by map[string]rocketmq.Group) (most int) {
	for _, g := range by {
		most = max(most, g.RetryMaxTimes)
	}
	return most
}

// unit is what managed instances count as one message.
const unit = 4 << 10

func size(seen facts.Facts) api.RecommendedSize {
	s := api.RecommendedSize{
		Topics: len(seen.TopicNames), Groups: len(seen.GroupNames), Clients: seen.ClientIDs(),
	}
	for _, name := range seen.TopicNames {
		s.Queues += len(seen.Topics.Queues(name))
	}
	var bytes, stored float64
	for _, table := range seen.Runtime {
		in, out := Rates(table, seen.At)
		s.Sends, s.Receives = s.Sends+in, s.Receives+out
		average, _ := strconv.ParseFloat(table["putMessageAverageSize"], 64)
		total, _ := strconv.ParseFloat(table["putMessageTimesTotal"], 64)
		bytes, stored = bytes+average*total, stored+total
	}
	now, later := "in the last ten minutes at most", "; watch a busy day with --observe before you buy"
	if w := seen.Watched; w != nil && w.Span > 0 {
		s.Sends, s.Receives, s.Observed = math.Max(s.Sends, w.Sends), math.Max(s.Receives, w.Receives), w.Span
		now, later = fmt.Sprintf("at the peak of %s of observation (sends at %s)", w.Span.Round(time.Minute),
			w.SendsAt.UTC().Format(time.RFC3339)), ""
	}
	units := 1.0
	if stored > 0 {
		s.AverageBytes = int64(bytes / stored)
		units = math.Max(1, math.Ceil(float64(s.AverageBytes)/unit))
	}
	s.SendUnits, s.ReceiveUnits = s.Sends*units, s.Receives*units
	for _, name := range seen.TopicNames {
		s.MaxDelay = max(s.MaxDelay, seen.Samples[name].Noted.LongestTimer)
	}
	s.Why = fmt.Sprintf("what the brokers counted %s, all topics together, with %s bytes for a stored message on the "+
		"average%s", now, printable.Grouped(s.AverageBytes), later)
	return s
}

// Rates are the sends and receives per second that a broker tells of itself. One that has just been
// started tells none: then they are averages since its start, if it has run for a second at least.
func Rates(table map[string]string, at time.Time) (sends, receives float64) {
	sends = lastRate(table["putTps"])
	receives = lastRate(table["getTransferedTps"]) + lastRate(table["getTransferredTps"])
	booted, err := strconv.ParseInt(table["bootTimestamp"], 10, 64)
	age := at.Sub(time.UnixMilli(booted)).Seconds()
	if err != nil || age < 1 {
		return sends, receives
	}
	since := func(counter string) float64 {
		n, _ := strconv.ParseFloat(table[counter], 64)
		return n / age
	}
	if strings.TrimSpace(table["putTps"]) == "" {
		sends = since("msgPutTotalTodayNow")
	}
	if strings.TrimSpace(table["getTransferedTps"]+table["getTransferredTps"]) == "" {
		receives = since("msgGetTotalTodayNow")
	}
	return sends, receives
}

// lastRate is the highest of the averages that a broker tells: of the last 10 s, minute and ten
// minutes (StoreStatsService).
func lastRate(rates string) (most float64) {
	for _, one := range strings.Fields(rates) {
		if rate, err := strconv.ParseFloat(one, 64); err == nil {
			most = math.Max(most, rate)
		}
	}
	return most
}

func traffic(seen facts.Facts, ordered map[string]bool) api.RecommendedTraffic {
	r := api.RecommendedTraffic{Mode: plan.ModeGateway, Why: "applications change only their name server, and move " +
		"without a pause, one queue at a time"}
	switch {
	case seen.Plan.Target.Rename != nil:
		r.Mode = plan.ModeRelease
		r.Why = "names change on the target, which gateways can't do: applications change them in a release"
	case seen.Plan.Target.Proxied():
		r.Why = "behind a proxy nobody can close a group, so only a gateway can move it"
	case len(ordered) > 0:
		r.Why += fmt.Sprintf(
			"; %d topics are read in order, and without a gateway each of them waits until it is drained",
			len(ordered),
		)
	}
	return r
}
