package lab

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWorkShowsInTheProcessorTimeOfAProcess(t *testing.T) {
	before, err := ProcessCPU(os.Getpid())
	require.NoError(t, err)
	deadline := time.Now().Add(time.Minute)
	for after := before; after-before < 100*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatalf("a minute of work, but the processor time went from %s to %s only", before, after)
		}
		after, err = ProcessCPU(os.Getpid())
		require.NoError(t, err)
		require.GreaterOrEqual(t, after, before)
	}
}

func TestProcessorTimeOfAProcessThatIsNotThereIsAnError(t *testing.T) {
	_, err := ProcessCPU(1 << 30)
	require.ErrorContains(t, err, "process 1073741824")
}
