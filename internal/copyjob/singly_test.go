package copyjob

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestACopyToBrokersWithoutBatchesSaysSoFirst(t *testing.T) {
	assert.Empty(t, singlyNotes("target", nil, nil))
	notes := singlyNotes("target", []string{"a", "b"}, []string{"c"})
	assert.Len(t, notes, 2)
	assert.Contains(t, notes[0], "broker a, b of the target takes no batches")
	assert.Contains(t, notes[1], "broker c of the target doesn't tell whether it takes batches")
}
