package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

func TestLongMetadataIsAppliedFromAClusterAndFromAFile(t *testing.T) {
	r := newRig(t, "apply-a", 3)
	to := labtest.Cluster(t, "5.3.3")
	r.create(r.source, "starter-apply-b", 2)
	flags := []string{
		"metadata", "apply", "--from", labtest.Cluster(t, "4.9.7").NameServers[0], "--to", to.NameServers[0],
		"--topic", "starter-apply-*", "--group", "starter-apply-*",
	}
	o := metadataRun(t, "", append(flags, "--dry-run")...)
	require.Equal(t, failure.Differs, o.code, o.stderr)
	assert.Contains(t, o.stdout, "+ topic starter-apply-a")
	assert.Contains(t, o.stdout, "2 to make or change")
	assert.Equal(t, failure.BadUsage, metadataRun(t, "no\n", flags...).code, "the answer wasn't yes")

	o = metadataRun(t, "", append(flags, "--yes", "-o", "json")...)
	require.Equal(t, failure.Done, o.code, o.stderr)
	doc := documents(t, o.stdout)[0]
	assert.Equal(t, true, doc["applied"])
	assert.Len(t, doc["createTopics"], 2)
	configs, err := r.client.TopicConfigs(t.Context(), to.Brokers[0].Addr)
	require.NoError(t, err)
	assert.Equal(t, 6, configs["starter-apply-a"].WriteQueues, "3 on each of two brokers")

	o = metadataRun(t, "", append(flags, "--yes")...)
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Nothing differs: 2 objects are as wanted")

	file := filepath.Join(t.TempDir(), "cluster.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`kind: ClusterMetadata
version: 1
topics:
- {name: starter-apply-a, sum: {read: 8, write: 8}}
- {name: starter-apply-c, type: FIFO, sum: {read: 2, write: 2}}
groups:
- {name: starter-apply-g, orderly: true, retry: {maxTimes: 3, policy: CUSTOMIZED, milliseconds: [1000, 5000]}}
`), 0o600))
	flags = []string{"metadata", "apply", "--file", file, "--to", to.NameServers[0], "--yes"}
	o = metadataRun(t, "", flags...)
	require.Equal(t, failure.Refused, o.code, o.stderr)
	assert.Contains(t, o.stdout, "! topic starter-apply-a: exists on target broker")
	assert.Contains(t, o.stdout, "Nothing was changed")
	o = metadataRun(t, "", append(flags, "--conflicts", "change")...)
	require.Equal(t, failure.Done, o.code, o.stderr)
	groups, err := r.client.Groups(t.Context(), to.Brokers[0].Addr)
	require.NoError(t, err)
	group := groups["starter-apply-g"]
	assert.Equal(
		t,
		[]any{true, true, 3},
		[]any{group.ConsumeEnable, group.Orderly, group.RetryMaxTimes},
		"open: no migration follows",
	)
	assert.Contains(t, group.Settings(), "groupRetryPolicy")
	configs, err = r.client.TopicConfigs(t.Context(), to.Brokers[0].Addr)
	require.NoError(t, err)
	assert.Equal(t, []int{8, 6}, []int{configs["starter-apply-a"].WriteQueues, configs["starter-apply-c"].Perm})
	assert.Equal(t, "FIFO", configs["starter-apply-c"].Attributes["message.type"])
	o = metadataRun(t, "", flags...)
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Nothing differs: 3 objects are as wanted")

	exported := filepath.Join(t.TempDir(), "exported.yaml")
	o = metadataRun(
		t,
		"",
		"metadata",
		"export",
		"--from",
		labtest.Cluster(t, "4.9.7").NameServers[0],
		"--file",
		exported,
	)
	require.Equal(t, failure.Done, o.code, o.stderr)
	flags = []string{
		"metadata", "apply", "--file", exported, "--to", to.NameServers[0], "--prefix", "starter-apply-eu-",
		"--topic", "starter-apply-*", "--group", "starter-apply-*",
	}
	o = metadataRun(t, "", append(flags, "--yes")...)
	require.Equal(t, failure.Done, o.code, o.stderr+o.stdout)
	o = metadataRun(t, "", flags...)
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(
		t,
		o.stdout,
		"Nothing differs: 2 objects are as wanted",
		"what a cluster exports is applied as it is read live",
	)
	for _, topic := range []string{"starter-apply-c", "starter-apply-eu-starter-apply-a", "starter-apply-eu-starter-apply-b", rocketmq.RetryTopic("starter-apply-g")} {
		_ = r.client.DeleteTopic(t.Context(), to.Brokers[0].Addr, topic)
	}
}

// metadataRun is one command line, with what the person at the terminal says.
func metadataRun(t *testing.T, says string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := newApp(strings.NewReader(says), &stdout, &stderr, func(string) (string, bool) { return "", false })
	return outcome{a.run(t.Context(), args), stdout.String(), stderr.String()}
}

func TestWhatMetadataApplyCanNotDoIsSaid(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("kind: ClusterMetadata\nversion: 1\ntopcs: []\n"), 0o600))
	for says, flags := range map[string][]string{
		"give either --from": {"--to", "h:1"},
		"give either":        {"--from", "h:1", "--file", bad, "--to", "h:1"},
		"--to is missing":    {"--from", "h:1"},
		"metadata.conflicts": {"--from", "h:1", "--to", "h:2", "--conflicts", "overwrite"},
		"--rate -1":          {"--from", "h:1", "--to", "h:2", "--rate", "-1"},
		"topcs":              {"--file", bad, "--to", "h:2"},
		"it is not there":    {"--file", filepath.Join(dir, "none"), "--to", "h:2"},
	} {
		o := metadataRun(t, "", append([]string{"metadata", "apply"}, flags...)...)
		assert.Equal(t, failure.BadUsage, o.code, flags)
		assert.Contains(t, o.stderr, says)
	}
}
