package javaclient

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// Queues are a topic's queues, such as broker-a/0, in the order in which stock clients use them.
type Queues struct {
	Publish   []string // producers choose among them
	Subscribe []string // members of a group share them
}

// QueuesOf asks a producer and a consumer of that version which queues topics have, by topic.
func QueuesOf(t testing.TB, version, nameServer, group string, topics ...string) map[string]Queues {
	t.Helper()
	classPath, java, err := Compiled(version, "javaclient", "Queues")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	args := append(optionsOf(home), "-cp", classPath, "Queues", nameServer, group)
	args = append(args, topics...)
	cmd := exec.CommandContext(t.Context(), java, args...)
	cmd.Dir = home
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	all, done := map[string]Queues{}, false
	for line := range strings.Lines(string(out)) { // among what the client logs
		switch words := append(strings.Fields(line), "", ""); words[0] {
		case "publish":
			all[words[1]] = Queues{Publish: words[2 : len(words)-2], Subscribe: all[words[1]].Subscribe}
		case "subscribe":
			all[words[1]] = Queues{Publish: all[words[1]].Publish, Subscribe: words[2 : len(words)-2]}
		case "done":
			done = true
		}
	}
	if err != nil || !done {
		t.Fatalf("queues by a client of version %s: %v: %s%s", version, err, out, said.Bytes())
	}
	return all
}
