package api

import (
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
// or written.
type Finding struct {
	Refusal bool   `json:"refusal"`
	Object  string `json:"object"`
	Cause   string `json:"cause"`
	Next    string `json:"next"`
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
