package api

import "time"

// MetadataDiff is what ImportMetadata would do.
type MetadataDiff struct {
	CreateTopics Names         `json:"createTopics,omitzero"`
	CreateGroups Names         `json:"createGroups,omitzero"`
	Same         int           `json:"same"`
	Conflicts    List[Finding] `json:"conflicts,omitzero"`
	// ChangeTopics and ChangeGroups exist with other settings, and the plan decides to change them.
	ChangeTopics Names `json:"changeTopics,omitzero"`
	ChangeGroups Names `json:"changeGroups,omitzero"`
	// Changes say what of them is changed, Kept what differs and stays by the plan's decision.
	Changes List[Finding] `json:"changes,omitzero"`
	Kept    List[Finding] `json:"kept,omitzero"`
	// KV is how many keys the target's name servers lack, order configurations among them.
	KV int `json:"kv,omitempty"`
	// Warnings are differences between the brokers' configurations that applications notice.
	Warnings List[Finding] `json:"warnings,omitzero"`
	Users    *UsersImport  `json:"users,omitempty"` // nil where the plan doesn't take users along
}

// UsersImport is what became of users and rights. It holds no secret.
type UsersImport struct {
	Users   int `json:"users"`
	Brokers int `json:"brokers"` // masters and slaves of the target
	Written int `json:"written"` // calls that changed something
	// Differing is how many questions about a user's right the target's brokers answer otherwise
	// than the source.
	Differing int           `json:"differing,omitempty"`
	Findings  List[Finding] `json:"findings,omitzero"` // what can't be kept, stays otherwise, or differs
}

// ApplyProgress is how far one chunk of topics and groups is: the heartbeat of Apply.
type ApplyProgress struct {
	Done  int           `json:"done"`
	Total int           `json:"total"`
	Left  time.Duration `json:"left,omitempty"` // about how long the rest of the chunk takes
}
