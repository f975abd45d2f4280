package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNameServersOfAReleaseAreChecked(t *testing.T) {
	servers, err := nameServers("127.0.0.1:9877,mq:1")
	require.NoError(t, err)
	require.Equal(t, []string{"127.0.0.1:9877", "mq:1"}, servers)
	for _, bad := range []string{"", "127.0.0.1", ":9876", "a:b", "a:1,", "a:70000"} {
		_, err := nameServers(bad)
		require.ErrorContains(t, err, "is no name server", bad)
	}
}

func TestAnUnknownCommandForTheSourceSaysWhatThereIs(t *testing.T) {
	for _, args := range []string{"", "begin", "release", "stop now", "start now"} {
		require.ErrorContains(t, runSource(t.Context(), strings.Fields(args)), "source release HOST:PORT", args)
	}
}

// Whoever starts the source by hand is told what the README says.
func TestTheSourceTellsTheCommandsOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var told strings.Builder
	tellNext(&told, "127.0.0.1:9876")
	commands := 0
	for _, line := range strings.Split(told.String(), "\n") {
		command, isCommand := strings.CutPrefix(line, "  ")
		if !isCommand {
			continue
		}
		commands++
		command, _, _ = strings.Cut(command, " #")
		require.True(t, strings.Contains(string(readme), strings.TrimSpace(command)), "the README has no %s", command)
	}
	require.Greater(t, commands, 8)
}
