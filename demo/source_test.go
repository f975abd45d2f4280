package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"rocketshift/internal/reference"
	"rocketshift/plan"
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

// The form of the Web UI gets the plan that the CLI is given, in short.
func TestTheInputOfTheReadmeIsTheExamplesPlan(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	blocks := reference.Blocks(string(readme), "json")
	require.NotEmpty(t, blocks)
	var input struct{ Plan json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(blocks[0]), &input))
	typed, err := plan.Parse(input.Plan)
	require.NoError(t, err)
	require.NoError(t, typed.Validate())

	text, err := os.ReadFile("../docs/examples/orders-2026.yaml")
	require.NoError(t, err)
	document, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	example, err := plan.Parse(document)
	require.NoError(t, err)
	require.Equal(t, []any{example.Name, example.Source, example.Target.Provider, example.Traffic},
		[]any{typed.Name, typed.Source, typed.Target.Provider, typed.Traffic})
	require.Equal(t, []string{"127.0.0.1:9876"}, example.Source.NameServers, "where make source is")
}
