package clusters

import (
	"fmt"
	"slices"

	"rocketshift/api"
)

// RefusalsFirst sorts findings as people need them: of a long list the first ones are shown.
func RefusalsFirst(all []api.Finding) {
	slices.SortStableFunc(all, func(a, b api.Finding) int {
		switch {
		case a.Refusal == b.Refusal:
			return 0
		case a.Refusal:
			return -1
		}
		return 1
	})
}

// Refusal is a finding that stops the migration until it is mended.
func Refusal(object, next, cause string, args ...any) api.Finding {
	return api.Finding{Refusal: true, Object: object, Cause: fmt.Sprintf(cause, args...), Next: next}
}

// Warning is a finding that people should know of.
func Warning(object, next, cause string, args ...any) api.Finding {
	return api.Finding{Object: object, Cause: fmt.Sprintf(cause, args...), Next: next}
}
