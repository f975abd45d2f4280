package activities

import (
	"context"

	"rocketshift/plan"
)

// MetadataDiff is what ImportMetadata would do.
type MetadataDiff struct {
	CreateTopics []string  `json:"createTopics,omitempty"`
	CreateGroups []string  `json:"createGroups,omitempty"`
	Same         int       `json:"same"`
	Conflicts    []Finding `json:"conflicts,omitempty"`
}

// MetadataRequest applies one chunk of a diff.
type MetadataRequest struct {
	Request
	Topics []string `json:"topics,omitempty"`
	Groups []string `json:"groups,omitempty"`
	// Assessment's types and order marks, by topic: a closed (read-only) ordered topic opens only after its drain.
	Types   map[string]plan.MessageType `json:"types,omitempty"`
	Ordered []string                    `json:"ordered,omitempty"`
}

// MetadataResult says what one chunk changed. A repeated chunk creates nothing.
type MetadataResult struct {
	CreatedTopics int `json:"createdTopics"`
	CreatedGroups int `json:"createdGroups"`
}

// Metadata brings topics and groups to the target.
type Metadata struct{ settings Settings }

// NewMetadata returns the activities of ImportMetadata.
func NewMetadata(s Settings) *Metadata { return &Metadata{s.withDefaults()} }

// Diff compares what the target should have with what it has.
func (m *Metadata) Diff(ctx context.Context, r MetadataRequest) (MetadataDiff, error) { panic("stub") }

// Apply creates what is missing of one chunk and reads it back.
func (m *Metadata) Apply(ctx context.Context, r MetadataRequest) (MetadataResult, error) {
	panic("stub")
}
