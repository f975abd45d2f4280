package api

// MetadataDiff is what ImportMetadata would do.
type MetadataDiff struct {
	CreateTopics Names         `json:"createTopics,omitzero"`
	CreateGroups Names         `json:"createGroups,omitzero"`
	Same         int           `json:"same"`
	Conflicts    List[Finding] `json:"conflicts,omitzero"`
	// Warnings are differences between the brokers' configurations that applications notice.
	Warnings List[Finding] `json:"warnings,omitzero"`
}
