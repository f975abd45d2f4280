package lockowner

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachAttemptOfALivingProcessHasItsOwnHolder(t *testing.T) {
	first := New()
	assert.NotEqual(t, first, New())
	assert.NotEqual(t, first, After(first), "the attempt before may still run in this process")
}

func TestHolderOfAProcessThatEndedIsTakenOver(t *testing.T) {
	ended := exec.Command("sleep", "3600")
	require.NoError(t, ended.Start())
	pid := ended.Process.Pid
	holder := machine() + "/" + strconv.Itoa(pid) + "/" + startTime(pid) + "#attempt"
	assert.NotEqual(t, holder, After(holder), "while it runs its locks are its own")
	require.NoError(t, ended.Process.Kill())
	_ = ended.Wait()
	assert.Equal(t, holder, After(holder))
}

func TestHolderOfAnotherMachineIsLeftAlone(t *testing.T) {
	for _, holder := range []string{
		"", "#", "garbage", "garbage#x",
		"00000000-0000-0000-0000-000000000000/4026531836/999999/1#attempt",
		machine() + "/0/1#attempt", machine() + "/x/1#attempt", machine() + "#attempt",
	} {
		assert.NotEqual(t, holder, After(holder), "holder %q", holder)
	}
}

func TestReusedPidIsAnotherProcess(t *testing.T) {
	mine := thisProcess()
	require.NotEmpty(t, mine)
	assert.False(t, gone(mine))
	older := mine[:strings.LastIndex(mine, "/")] + "/1"
	assert.True(t, gone(older), "the same pid with another start time")
}
