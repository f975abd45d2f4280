package api

import (
	"encoding/json"
	"slices"

	"rocketshift/internal/printable"
)

// InventorySummary is the short form of an Assessment.
type InventorySummary struct {
	SourceVersion string        `json:"sourceVersion"`
	Brokers       int           `json:"brokers"`
	Topics        int           `json:"topics"`
	Queues        int           `json:"queues"`
	Groups        int           `json:"groups"`
	Messages      int64         `json:"messages"`
	Findings      List[Finding] `json:"findings,omitzero"`
	Refusals      int           `json:"refusals,omitempty"`
	// Whole is the document that has all of the inventory, where it is too long for a history.
	Whole *Reference `json:"whole,omitempty"`
}

// Inventory is an Assessment in a form that fits into a history: a short one itself, of a long one
// its summary and lists of names, with the whole in a document.
type Inventory struct {
	Whole   *Assessment // nil where it is in a document
	Summary InventorySummary
	Long    longInventory
}

// longInventory is the JSON of an inventory in a document.
type longInventory struct {
	Document      *Reference       `json:"document"`
	SourceBrokers []string         `json:"sourceBrokers"`
	Topics        Names            `json:"topics"`
	Ordered       Names            `json:"ordered"`
	Free          Names            `json:"free"`
	Groups        Names            `json:"groups"`
	Readers       Names            `json:"readers"`
	Summary       InventorySummary `json:"summary"`
}

// Whole is an inventory that is in the history itself.
func Whole(a Assessment) Inventory { return Inventory{Whole: &a, Summary: Summarize(a)} }

// Summarize is the short form of an assessment.
func Summarize(a Assessment) InventorySummary {
	s := InventorySummary{
		SourceVersion: a.SourceVersion, Brokers: len(a.SourceBrokers), Topics: len(a.Topics),
		Groups: len(a.Groups), Findings: Some(a.Findings...), Refusals: a.Refusals(),
	}
	for _, t := range a.Topics {
		s.Queues += t.Queues
		s.Messages += t.Messages
	}
	return s
}

// SourceBrokers are the names of the source's brokers.
func (i Inventory) SourceBrokers() []string {
	if i.Whole != nil {
		return i.Whole.SourceBrokers
	}
	return i.Long.SourceBrokers
}

// Topics are the names of the topics, sorted.
func (i Inventory) Topics() Names {
	return i.names(i.Long.Topics, func(a Assessment) []string { return a.TopicNames(nil) })
}

// Ordered are the topics whose order must survive the producers' move, sorted.
func (i Inventory) Ordered() Names {
	return i.names(i.Long.Ordered, Assessment.OrderedTopics)
}

// Free are all other topics, sorted.
func (i Inventory) Free() Names { return i.names(i.Long.Free, Assessment.FreeTopics) }

// Groups are the names of the groups, sorted.
func (i Inventory) Groups() Names { return i.names(i.Long.Groups, Assessment.GroupNames) }

// Readers are the groups that read any of the topics, sorted.
func (i Inventory) Readers() Names { return i.names(i.Long.Readers, Assessment.Readers) }

func (i Inventory) names(long Names, of func(Assessment) []string) Names {
	if i.Whole == nil {
		return long
	}
	return Some(of(*i.Whole)...)
}

// TopicNames are the names of the topics that the function picks, of all without one.
func (a Assessment) TopicNames(which func(Topic) bool) []string {
	names := []string{}
	for _, t := range a.Topics {
		if which == nil || which(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// OrderedTopics are those whose order must survive the producers' move.
func (a Assessment) OrderedTopics() []string {
	return a.TopicNames(func(t Topic) bool { return t.Ordered })
}

// FreeTopics are all others.
func (a Assessment) FreeTopics() []string {
	return a.TopicNames(func(t Topic) bool { return !t.Ordered })
}

// GroupNames are the names of the groups.
func (a Assessment) GroupNames() []string {
	names := []string{}
	for _, g := range a.Groups {
		names = append(names, g.Name)
	}
	return names
}

// Readers are the groups that read any of the topics, sorted, each once.
func (a Assessment) Readers() []string {
	names := []string{}
	for _, t := range a.Topics {
		names = append(names, t.Readers...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ReadersOf lists the groups that read each topic.
func (a Assessment) ReadersOf() map[string][]string {
	of := map[string][]string{}
	for _, t := range a.Topics {
		of[t.Name] = t.Readers
	}
	return of
}

// WithText is a copy with all text as the function makes it.
func (i Inventory) WithText(as func(string) string) any {
	i.Whole, i.Summary, i.Long = printable.All(i.Whole, as), printable.All(i.Summary, as), printable.All(i.Long, as)
	return i
}

// MarshalJSON writes the assessment, or where it is.
func (i Inventory) MarshalJSON() ([]byte, error) {
	if i.Whole != nil {
		return json.Marshal(i.Whole)
	}
	long := i.Long
	long.Summary = i.Summary
	return json.Marshal(long)
}

// UnmarshalJSON reads either form.
func (i *Inventory) UnmarshalJSON(b []byte) error {
	var form struct {
		Document json.RawMessage `json:"document"`
	}
	if err := json.Unmarshal(b, &form); err != nil {
		return err
	}
	if form.Document == nil {
		var whole Assessment
		if err := json.Unmarshal(b, &whole); err != nil {
			return err
		}
		*i = Whole(whole)
		return nil
	}
	*i = Inventory{}
	err := json.Unmarshal(b, &i.Long)
	i.Summary = i.Long.Summary
	return err
}
