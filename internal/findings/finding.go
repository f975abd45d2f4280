package findings

import (
	"fmt"
	"slices"

	"rocketshift/api"
)

// ID is the stable name of a kind of finding. Reports, scripts and the docs know it by this name,
// so it never changes and is never used again for something else.
type ID string

// Refusal is a finding that stops the migration until it is mended. next is what to do about this
// one; empty means what the catalogue says.
func (id ID) Refusal(object, next, cause string, args ...any) api.Finding {
	return id.finding(api.SeverityRefusal, object, next, cause, args)
}

// Warning is a finding that people should know of before they go on.
func (id ID) Warning(object, next, cause string, args ...any) api.Finding {
	return id.finding(api.SeverityWarning, object, next, cause, args)
}

// Advice is a finding that asks nothing of anybody: it makes the migration better or is good to
// know.
func (id ID) Advice(object, next, cause string, args ...any) api.Finding {
	return id.finding(api.SeverityAdvice, object, next, cause, args)
}

func (id ID) finding(is api.Severity, object, next, cause string, args []any) api.Finding {
	if next == "" {
		entry, _ := Of(string(id))
		next = entry.Do
	}
	return api.Finding{
		ID: string(id), Severity: is, Refusal: is == api.SeverityRefusal,
		Object: object, Cause: fmt.Sprintf(cause, args...), Next: next,
	}
}

// Entry is what the catalogue says about a kind of finding.
type Entry struct {
	ID ID
	// Is are the severities that it can have, the usual one first.
	Is    []api.Severity
	Title string
	Why   string // why it matters on 5.x, or to the migration
	Do    string // what people do about it
}

// Area is a part of the catalogue.
type Area struct {
	Title   string
	Entries []Entry
}

// Areas are all entries, as the reference shows them.
func Areas() []Area {
	return []Area{
		{"Clusters and brokers", clusterEntries()},
		{"Servers", serverEntries()},
		{"What the plan selects", planEntries()},
		{"Topics and their messages", topicEntries()},
		{"What messages are for, and how large they are", contentEntries()},
		{"Messages", messageEntries()},
		{"Names", nameEntries()},
		{"Groups and their members", groupEntries()},
		{"Disks, retention, and what nobody uses", storageEntries()},
		{"Who may do what, and who gets which queues", accessEntries()},
		{"Clients", clientEntries()},
		{"Gateways", gatewayEntries()},
		{"Settings of brokers, topics and groups", settingEntries()},
		{"The target", targetEntries()},
	}
}

// Of finds an entry by its id.
func Of(id string) (Entry, bool) {
	for _, area := range Areas() {
		at := slices.IndexFunc(area.Entries, func(e Entry) bool { return string(e.ID) == id })
		if at >= 0 {
			return area.Entries[at], true
		}
	}
	return Entry{}, false
}

// The severities of entries.
var (
	refusal          = []api.Severity{api.SeverityRefusal}
	warning          = []api.Severity{api.SeverityWarning}
	advice           = []api.Severity{api.SeverityAdvice}
	refusalOrWarning = []api.Severity{api.SeverityRefusal, api.SeverityWarning}
)

// First sorts findings as people need them: refusals, then warnings, then advice. Of a long list the
// first ones are shown.
func First(all []api.Finding) {
	slices.SortStableFunc(all, func(a, b api.Finding) int { return rank(a) - rank(b) })
}

func rank(f api.Finding) int {
	return slices.Index([]api.Severity{api.SeverityRefusal, api.SeverityWarning, api.SeverityAdvice}, f.Level())
}
