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
