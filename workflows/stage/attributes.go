package stage

import (
	"strings"
	"unicode/utf8"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
)

type searchedKey struct{}

// Searched tells workflows that the namespace has the search attributes. A run asks once, and
// records the answer.
func Searched(ctx workflow.Context, are bool) workflow.Context {
	return workflow.WithValue(ctx, searchedKey{}, are)
}

// areSearched reports whether it was told so.
func areSearched(ctx workflow.Context) bool {
	are, _ := ctx.Value(searchedKey{}).(bool)
	return are
}

// attributeBytes is what databases of Temporal's visibility take of a keyword.
const attributeBytes = 255

// Keyword shortens the value of a search attribute to what fits, between two characters.
func Keyword(value string) string {
	for len(value) > attributeBytes {
		_, size := utf8.DecodeLastRuneInString(value)
		value = value[:len(value)-size]
	}
	return value
}

// WaitingValue is the search attribute: kind and gate of the first entry, so that a saved view
// finds "waiting for me".
func WaitingValue(s api.Status) string {
	if len(s.Waiting) == 0 {
		return "nobody"
	}
	return strings.TrimSuffix(s.Waiting[0].Kind+":"+s.Waiting[0].Gate, ":")
}

// TargetValue is the search attribute: who provides the target, and its name.
func TargetValue(s api.Status) string {
	if s.Target == nil {
		return "none"
	}
	return s.Target.Provider + ":" + s.Target.Name
}

// upsert writes the search attributes that changed, in one command.
func (run *Run) upsert(ctx workflow.Context, s api.Status) {
	if !run.attributes {
		return
	}
	now := [3]string{s.Stage, WaitingValue(s), TargetValue(s)}
	var changes []temporal.SearchAttributeUpdate
	for i, name := range api.SearchAttributes() {
		if now[i] != run.shown[i] {
			changes = append(changes,
				temporal.NewSearchAttributeKeyKeyword(name).ValueSet(Keyword(now[i])))
		}
	}
	if len(changes) == 0 {
		return
	}
	run.shown = now
	if err := workflow.UpsertTypedSearchAttributes(ctx, changes...); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not written", "error", err)
	}
}
