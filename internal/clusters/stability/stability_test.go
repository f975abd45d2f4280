package stability

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWatchCountsFromTheLastChange(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	w := Set{}
	assert.Zero(t, w.Stands("orders", 100, at), "a first look proves nothing")
	assert.Equal(t, 4*time.Second, w.Stands("orders", 100, at.Add(4*time.Second)))
	assert.Zero(t, w.Stands("orders", 120, at.Add(5*time.Second)))
	assert.InDelta(t, 4, w["orders"].Rate, 0.01, "20 more within 5 s")
	assert.Equal(t, time.Second, w.Stands("orders", 120, at.Add(6*time.Second)))
	assert.Zero(t, w.Stands("other", 120, at.Add(6*time.Second)), "names are apart")
}
