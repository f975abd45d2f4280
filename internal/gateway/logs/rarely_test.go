package logs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What clients can name without end is said of so many, and of the others together.
func TestNamesWithoutEndAreSaidRarely(t *testing.T) {
	var e Each[int]
	said := 0
	for i := range 3 * mostEach {
		if e.Due(i) {
			said++
		}
	}
	assert.Equal(t, mostEach+1, said)
	assert.Len(t, e.all, mostEach)
	for _, one := range e.all {
		one.last = time.Now().Add(-rareness)
	}
	assert.True(t, e.Due(3*mostEach), "there is room again")
}
