package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters/measure"
)

func TestAWorkerForgetsTheOldestSoaks(t *testing.T) {
	var all soaks
	begin := time.Now()
	for i := range soaksKept + 1 {
		all.put(soakKey{step: i}, measure.Soak{Since: begin.Add(time.Duration(i) * time.Second)})
	}
	_, oldest := all.get(soakKey{step: 0})
	_, newest := all.get(soakKey{step: soaksKept})
	require.False(t, oldest)
	require.True(t, newest)
	require.Len(t, all.known, soaksKept)
}
