package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/plan"
)

// Topic is one selected topic of the source.
type Topic struct {
	Name     string           `json:"name"`
	Queues   int              `json:"queues"`
	Messages int64            `json:"messages"`
	Type     plan.MessageType `json:"type"`
	// Ordered says that the order of each queue must survive the producers' move: the plan says so,
	// an orderly group reads it, or its messages have sharding keys.
	Ordered bool     `json:"ordered,omitempty"`
	Readers []string `json:"readers,omitempty"`
}

// Group is one selected consumer group of the source.
type Group struct {
	Name    string   `json:"name"`
	Topics  []string `json:"topics,omitempty"`
	Members int      `json:"members"`
	Orderly bool     `json:"orderly,omitempty"`
}

// ClientVersion counts the connected clients of one SDK version.
type ClientVersion struct {
	Kind     string `json:"kind"` // producer or consumer
	Language string `json:"language"`
	Version  string `json:"version"`
	Clients  int    `json:"clients"`
}

// Assessment is the inventory of the source and what speaks against a migration.
type Assessment struct {
	SourceVersion string          `json:"sourceVersion"`
	SourceBrokers []string        `json:"sourceBrokers"`
	Topics        []Topic         `json:"topics"`
	Groups        []Group         `json:"groups"`
	Clients       []ClientVersion `json:"clients,omitempty"`
	Findings      []Finding       `json:"findings,omitempty"`
	MeasuredAt    time.Time       `json:"measuredAt"`
	// Recommended is nil in assessments of older releases.
	Recommended *Recommended `json:"recommended,omitempty"`
}

// Refusals counts the findings that stop a migration.
func (a Assessment) Refusals() int {
	n := 0
	for _, f := range a.Findings {
		if f.Refusal {
			n++
		}
	}
	return n
}

// Finding is something that Assess found. A refusal stops the migration before anything is bought
// or written. Package findings says more about each id.
type Finding struct {
	ID       string   `json:"id,omitempty"` // of the catalogue; empty in reports of older releases
	Severity Severity `json:"severity,omitempty"`
	Refusal  bool     `json:"refusal"`
	Object   string   `json:"object"`
	Cause    string   `json:"cause"` // what was found
	Next     string   `json:"next"`  // what to do
	// Evidence are facts that were measured, at most MostEvidence.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Severity is how much a finding weighs.
type Severity string

// Severities: a refusal stops the migration, a warning is to be judged by people, advice asks
// nothing.
const (
	SeverityRefusal Severity = "refusal"
	SeverityWarning Severity = "warning"
	SeverityAdvice  Severity = "advice"
)

// Evidence is one fact that was measured.
type Evidence struct {
	Fact string    `json:"fact"`
	At   time.Time `json:"at,omitzero"` // when; absent: with all the rest
}

func (e Evidence) String() string {
	if e.At.IsZero() {
		return e.Fact
	}
	return e.Fact + " (" + e.At.UTC().Format(time.RFC3339) + ")"
}

// Evidence of one finding is bounded, as findings are many: so many facts of so many bytes.
const (
	MostEvidence = 5
	longestFact  = 300
)

// Level is the finding's severity, also of findings from before there were any.
func (f Finding) Level() Severity {
	switch {
	case f.Refusal:
		return SeverityRefusal
	case f.Severity == "":
		return SeverityWarning
	}
	return f.Severity
}

// Refused is the finding as a refusal.
func (f Finding) Refused() Finding {
	f.Refusal, f.Severity = true, SeverityRefusal
	return f
}

// With is the finding with one more fact, where it has less than MostEvidence.
func (f Finding) With(at time.Time, fact string, args ...any) Finding {
	if len(f.Evidence) >= MostEvidence {
		return f
	}
	text := fmt.Sprintf(fact, args...)
	if len(text) > longestFact {
		text = strings.ToValidUTF8(text[:longestFact], "") + "…"
	}
	f.Evidence = append(slices.Clone(f.Evidence), Evidence{text, at})
	return f
}

// Same reports whether both say the same, whatever their evidence.
func (f Finding) Same(other Finding) bool {
	return f.ID == other.ID && f.Refusal == other.Refusal && f.Object == other.Object && f.Cause == other.Cause
}

// Recommended is what an assessment advises, each with the evidence for it. Nothing of it is done by
// itself.
type Recommended struct {
	Topics  []RecommendedTopic `json:"topics,omitempty"`
	Groups  []RecommendedGroup `json:"groups,omitempty"`
	Size    RecommendedSize    `json:"size"`
	Traffic RecommendedTraffic `json:"traffic"`
	Waves   []RecommendedWave  `json:"waves,omitempty"`
}

// RecommendedTopic is how a topic should be made on the target.
type RecommendedTopic struct {
	Name   string           `json:"name"`
	Type   plan.MessageType `json:"type"`
	Queues int              `json:"queues"`
	Why    string           `json:"why"`
}

// RecommendedGroup is how a group should be made on the target.
type RecommendedGroup struct {
	Name       string `json:"name"`
	Orderly    bool   `json:"orderly"`
	MaxRetries int    `json:"maxRetries"`
	Why        string `json:"why"`
}

// RecommendedSize is what the target must carry. Rates are per second. A unit is 4 KiB, or a part of
// it, as managed instances count.
type RecommendedSize struct {
	Sends        float64 `json:"sends"`
	Receives     float64 `json:"receives"`
	SendUnits    float64 `json:"sendUnits"`
	ReceiveUnits float64 `json:"receiveUnits"`
	AverageBytes int64   `json:"averageBytes"` // of a stored message
	// Observed is how long rates were watched; they are the peak of that time. 0: they are averages
	// of the last ten minutes, as brokers tell them.
	Observed time.Duration `json:"observed,omitempty"`
	Topics   int           `json:"topics"`
	Groups   int           `json:"groups"`
	Queues   int           `json:"queues"`
	// Clients is how many are connected now or were seen before, by their ids.
	Clients int `json:"clients,omitempty"`
	// MaxDelay is the longest delay in use, as far as it was seen.
	MaxDelay time.Duration `json:"maxDelay,omitempty"`
	Why      string        `json:"why"`
}

// RecommendedTraffic is the traffic.mode for a plan.
type RecommendedTraffic struct {
	Mode string `json:"mode"`
	Why  string `json:"why"`
}

// RecommendedWave are topics and groups that belong together, as groups read several topics and
// topics have several readers.
type RecommendedWave struct {
	Topics []string `json:"topics"`
	Groups []string `json:"groups,omitempty"`
	Why    string   `json:"why"`
}

// GatewayObject is the object of all findings about gateways.
const GatewayObject = "gateway"

// OfGateway reports whether the finding is about gateways. That may change soon, since gateways are
// often started just before the shift.
func (f Finding) OfGateway() bool { return !f.Refusal && f.Object == GatewayObject }

// WithoutGateways are the findings that aren't about gateways, for readers who know newer ones. Of
// a list in a document these are its first items.
func WithoutGateways(all List[Finding]) List[Finding] {
	return all.Without(Finding.OfGateway)
}
