package script

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
)

func ref[T any](v T) *T { return &v }

// fake is an mqadmin that notes its arguments, one a line, and succeeds.
const fake = `#!/bin/sh
case $1 in
clusterList) printf '%s\n' '#Cluster #Broker #BID #Addr' 'C broker-a 0 10.0.0.1:10911' 'C broker-a 1 10.0.0.9:10911' 'C broker-b 0 10.0.0.2:10911' ;;
*) for word in "$@"; do printf '%s\n' "$word" >>"$NOTES"; done; echo "${SAYS:-create topic to x success.}" ;;
esac
`

func run(t *testing.T, c metadata.Cluster, env ...string) (notes, out string, gaps metadata.Gaps, err error) {
	t.Helper()
	var text bytes.Buffer
	gaps, err = Writer{}.Write(&text, c)
	require.NoError(t, err)
	dir := t.TempDir()
	for name, content := range map[string]string{"mqadmin": fake, "bring.sh": text.String()} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755))
	}
	command := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "bring.sh"), "ns:9876;other:9876", "C")
	command.Dir = dir
	command.Env = append(
		append(os.Environ(), "MQADMIN="+filepath.Join(dir, "mqadmin"), "NOTES="+filepath.Join(dir, "notes")),
		env...)
	said, err := command.CombinedOutput()
	noted, _ := os.ReadFile(filepath.Join(dir, "notes"))
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	require.LessOrEqual(t, len(left), 3, "nothing else was done: %v", left)
	return string(noted), string(said), gaps, err
}

func TestWhateverIsInTheModelIsOneWordToMQAdmin(t *testing.T) {
	hostile := "a';touch${IFS}x;'$(touch${IFS}y)`touch${IFS}z`\"\\"
	c := metadata.New(metadata.Origin{})
	c.Topics = []metadata.Topic{
		{
			Name: hostile, Type: "FIFO", Order: ref(true), SysFlag: ref(3), Attributes: map[string]string{"k": "v w"},
			Queues: []metadata.Queues{{Broker: "broker-a", Read: 1, Write: 2, Perm: 6}},
		},
		{Name: "-flag", Queues: []metadata.Queues{{Broker: "broker-b", Read: 1, Write: 1, Perm: 6}}},
		{Name: "unplaced", Sum: &metadata.Queues{Read: 8, Write: 8}},
	}
	c.Order = []metadata.Order{{Topic: "t", Queues: "broker-b:4;else:$(touch q)"}}
	c.KV = []metadata.KV{{Namespace: "N", Key: "k", Value: "two\nlines 'x'"}}
	notes, out, gaps, err := run(t, c)
	require.NoError(t, err, out)
	require.Equal(
		t,
		"updateTopic\n-b\n10.0.0.1:10911\n-t\n"+hostile+"\n-r\n1\n-w\n2\n-p\n6\n-o\ntrue\n-u\ntrue\n-s\ntrue\n-a\n"+
			"+message.type=FIFO,+k=v w\n-n\nns:9876;other:9876\n"+
			"updateOrderConf\n-t\n"+hostile+"\n-m\ndelete\n-n\nns:9876;other:9876\n"+
			"updateOrderConf\n-t\nt\n-m\nput\n-v\nbroker-b:4;else:$(touch q)\n-n\nns:9876;other:9876\n"+
			"updateKvConfig\n-s\nN\n-k\nk\n-v\ntwo\nlines 'x'\n-n\nns:9876;other:9876\n",
		notes,
	)
	told := fmt.Sprint(gaps)
	require.Contains(t, told, "topics: mqadmin takes no value that is empty or begins with - (-flag)")
	require.Contains(
		t,
		told,
		"topics without queues: how many queues each broker has isn't known: they aren't made (unplaced)",
	)
}

func TestGroupsOfUnknownBrokersGoToTheWholeCluster(t *testing.T) {
	c := metadata.New(metadata.Origin{})
	c.Groups = []metadata.Group{{
		Name: "g", Orderly: ref(true), Consume: ref(false),
		Retry: metadata.Retry{Policy: metadata.RetryFixed, Milliseconds: []int64{1000}, DeadLetterTopic: "dead"},
	}}
	notes, out, gaps, err := run(t, c)
	require.NoError(t, err, out)
	require.Equal(
		t,
		"updateSubGroup\n-c\nC\n-g\ng\n-s\nfalse\n-m\ntrue\n-d\ntrue\n-q\n1\n-r\n16\n-i\n0\n-w\n1\n-a\ntrue\n-o\ntrue\n-p\n"+
			`{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1000]}}`+"\n-n\nns:9876;other:9876\n",
		notes,
	)
	told := fmt.Sprint(gaps)
	require.Contains(
		t,
		told,
		"settings of groups that nobody said: they are written as brokers make groups by themselves (g)",
	)
	require.Contains(t, told, "fixed retries: brokers have no such policy")
	require.Contains(t, told, "dead-letter topic of groups: mqadmin has no flag for it (g)")
}

func TestTheScriptStopsAtTheFirstCommandThatFails(t *testing.T) {
	c := metadata.New(metadata.Origin{})
	for _, name := range []string{"success", "two"} {
		c.Topics = append(c.Topics, metadata.Topic{
			Name: name, Queues: []metadata.Queues{{Broker: "broker-a", Read: 1, Write: 1, Perm: 6}},
		})
	}
	notes, out, _, err := run(t, c, "SAYS=MQClientException: create success failed")
	require.Error(t, err)
	require.NotContains(t, notes, "two")
	require.Contains(t, out, "failed: updateTopic")
	c.Topics[0].Queues[0].Broker = "gone"
	_, out, _, err = run(t, c)
	require.Error(t, err)
	require.Contains(t, out, "no master of broker gone is registered")
}
