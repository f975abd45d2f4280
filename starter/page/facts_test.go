package page

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/api"
	"rocketshift/starter/remote"
)

func TestARunningComparisonIsShown(t *testing.T) {
	s := remote.Snapshot{Comparing: &api.VerifyProgress{Messages: 100, Read: 40, PerSecond: 10, Left: "6s"}}
	assert.Equal(t, "40 of 100 messages, 10 a second, 6s left", comparingOf(s))
}
