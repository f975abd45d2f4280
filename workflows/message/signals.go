package message

// Signals between a parent and its children; people don't send them.
const (
	// HandedSignal, child to parent, is what became of an approval that was handed on.
	HandedSignal = "approvalJudged"
	// MissingSignal, parent to child, says that a service that it needs doesn't run, or that all
	// do.
	MissingSignal = "missing"
)

// Handed is what became of an approval that was handed on.
type Handed struct {
	Number  int64  `json:"number"`
	Refused string `json:"refused,omitempty"` // why the stage doesn't take it
}

// Missing tells a stage what doesn't run that it needs; an empty text that everything does. Of two
// that overtook each other the one with the greater number counts; releases before have none.
type Missing struct {
	Text   string `json:"text"`
	Number int64  `json:"number,omitempty"`
}
