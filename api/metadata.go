package api

// MetadataDiff is what ImportMetadata would do.
type MetadataDiff struct {
	CreateTopics Names         `json:"createTopics,omitzero"`
	CreateGroups Names         `json:"createGroups,omitzero"`
	Same         int           `json:"same"`
	Conflicts    List[Finding] `json:"conflicts,omitzero"`
	// Warnings are what applications see of brokers that are configured otherwise.
	Warnings List[Finding] `json:"warnings,omitzero"`
}
