package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/documents/lists"
)

// What travels in heartbeats is a payload too: of a part of 10,000 topics, and of the retry and
// dead-letter topics of 10,000 groups.
func TestHeartbeatsOfLargePartsFitInPayloads(t *testing.T) {
	const most = 256 << 10
	seen := stability.Set{}
	for i := range 1250 {
		name := fmt.Sprintf("topic-%06d", i) + strings.Repeat("x", 115)
		seen[name] = stability.Number{Reading: 1 << 40, Since: time.Now(), Rate: 12345.678}
	}
	b, err := json.Marshal(seen)
	require.NoError(t, err)
	assert.Less(t, len(b), most, "what producers write")
}

func TestTheWayBackNeedsNoStore(t *testing.T) {
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("billing-service-production-consumers-%06d", i)
	}
	r := Request{Bounded: true} // of a plan without a name nothing can be stored
	list := lists.InlineAtWorst(t.Context(), Settings{Root: t.TempDir()}.lists(r), "fenced groups", names)
	got, inline := list.Inline()
	assert.True(t, inline)
	assert.Equal(t, names, got)
	page, more := SurveyRequest{Most: 200, After: names[99]}.page(names)
	assert.Equal(t, names[100:300], page)
	assert.Equal(t, 10_000-300, more)
}
