package doors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/metadata"
	"rocketshift/internal/rocketmq/remotingtest"
)

// ran is what a command printed, and how it ended.
type ran struct {
	out, err string
	code     int
	failed   error
}

func run(t *testing.T, args ...string) ran {
	t.Helper()
	var out, told bytes.Buffer
	var r ran
	say := func(to *bytes.Buffer) func(string, ...any) {
		return func(format string, args ...any) { fmt.Fprintf(to, format+"\n", args...) }
	}
	c := Command(Terminal{
		Stdin: strings.NewReader("kind: ClusterMetadata\nversion: 1\ntopics:\n- name: t\n"), Stdout: &out,
		LookupEnv: func(string) (string, bool) { return "", false }, Now: func() time.Time { return time.Unix(1_800_000_000, 5) },
		JSON: func() bool { return false }, Document: func(d any) { _ = json.NewEncoder(&out).Encode(d) },
		Say: say(&out), Warn: say(&told), Exit: func(code int) { r.code = code },
	})
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	r.failed = c.ExecuteContext(t.Context())
	r.out, r.err = out.String(), told.String()
	return r
}

const stores = "../../internal/metadata/store/testdata/"

func cluster(t *testing.T) string {
	t.Helper()
	c := &remotingtest.Cluster{
		Name: "C", Broker: "broker-a", Version: "V4_9_7", Topics: map[string]remotingtest.Topic{"orders": {Read: 4, Write: 4, Perm: 6}},
		Groups: map[string]bool{"g": true}, Offsets: map[string]map[int]int64{"orders@g": {0: 1}},
	}
	return c.Start(t)
}

func TestAClusterIsExportedAndComparesEqual(t *testing.T) {
	nameServer, file := cluster(t), filepath.Join(t.TempDir(), "c.yaml")
	r := run(t, "export", "--from", nameServer, "--file", file)
	require.NoError(t, r.failed)
	require.Empty(t, r.out)
	require.Contains(t, r.err, file+": 1 topics, 1 groups, 1 subscriptions")
	require.Contains(t, r.err, "not carried: ")
	first, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(first), run(t, "export", "--from", nameServer).out, "the same state is the same bytes")
	require.Contains(t, run(t, "export", "--from", nameServer, "--measured").out, "measured: \"2027-01-15T08:00:00Z\"")

	r = run(t, "diff", file, nameServer)
	require.NoError(t, r.failed)
	require.Equal(t, failure.Done, r.code)
	require.Equal(t, "equal: 1 topics, 1 groups, 1 subscriptions\n", r.out)
	require.NoError(t, os.WriteFile(file, append(first, "users:\n- {name: app, status: enable, type: super}\n"...), 0o644))
	require.Equal(t, "- user app\n", run(t, "diff", file, nameServer).out)
	require.Equal(t, failure.Done, run(t, "diff", file, nameServer, "--only", "topics,groups").code)
	require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(first, []byte("read: 4"), []byte("read: 8")), 0o644))
	r = run(t, "diff", file, nameServer)
	require.Equal(t, failure.Differs, r.code)
	require.Equal(t, "~ topic orders: queues.broker-a.read 8 → 4\n", r.out)
}

func TestEachFormOfFilesIsOneModel(t *testing.T) {
	dir := t.TempDir()
	gaps := filepath.Join(dir, "gaps.json")
	whole := filepath.Join(dir, "whole.json")
	r := run(
		t,
		"convert",
		stores+"5.3.3/broker-a",
		stores+"5.3.3/broker-b",
		stores+"5.3.3/nameserver/kvConfig.json",
		"-o",
		"json",
		"--file",
		whole,
		"--gaps",
		gaps,
	)
	require.NoError(t, r.failed)
	text, err := os.ReadFile(whole)
	require.NoError(t, err)
	c, err := metadata.Parse(whole, text)
	require.NoError(t, err)
	require.Len(t, c.Brokers, 2)
	require.Len(t, c.Topics[1].Queues, 2)
	require.Len(t, c.Order, 1)
	var told metadata.Gaps
	text, err = os.ReadFile(gaps)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &told))
	require.NotEmpty(t, told)
	require.NotContains(t, string(text), "kvConfig.json of a name server does", "it was there")

	for _, kind := range []string{"topics", "groups"} {
		book := filepath.Join(dir, kind+".xlsx")
		require.NoError(t, run(t, "convert", whole, "-o", "xlsx", "--only", kind, "--file", book).failed)
		r := run(t, "diff", whole, book, "--only-known")
		require.Equal(t, failure.Done, r.code, r.out)
	}
	r = run(t, "convert", filepath.Join(dir, "topics.xlsx"), filepath.Join(dir, "groups.xlsx"))
	require.Contains(t, r.out, "name: g1")
	require.Contains(
		t,
		run(t, "convert", whole, "-o", "script").out,
		"run updateTopic -b \"$a0\" -t 'fifo' -r 8 -w 8 -p 6 -o false -a '+message.type=FIFO'",
	)
	require.Contains(t, run(t, "convert", "-").out, "- name: t\n")
	r = run(
		t,
		"convert",
		"../../internal/metadata/mqadmin/testdata/4.9.7/metadata.json",
		"--broker",
		"a,b",
		"--only",
		"topics",
	)
	require.Contains(t, r.out, "broker: a\n    read: 8")
	require.NotContains(t, r.out, "groups")
}

func TestWhatCanNotBeDoneIsToldBeforeAnythingIsRead(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"topicConfigTable":{"a":{"perm":`), 0o644))
	for _, of := range []struct {
		args []string
		want string
	}{
		{[]string{"export"}, "nothing to read is named"},
		{[]string{"export", "--from", "127.0.0.1:1," + bad}, "name servers and files are mixed"},
		{[]string{"convert", "missing.yaml"}, "missing.yaml: it is not there"},
		{[]string{"convert", dir}, "it has no topics.json"},
		{[]string{"convert", bad}, "bad.json: malformed JSON"},
		{[]string{"convert", "-", "-o", "text"}, `-o "text": allowed: yaml, json, xlsx, script`},
		{[]string{"convert", "-", "-o", "xlsx"}, "a workbook isn't for a terminal"},
		{[]string{"convert", "-", "-o", "xlsx", "--file", bad}, "-o xlsx needs --only topics or --only groups"},
		{[]string{"convert", "-", "--only", "cats"}, `--only "cats": allowed: topics`},
		{[]string{"diff", "-", "-", "--only", "cats"}, `--only "cats": allowed: topics`},
		{[]string{"convert", "-", "--template", bad}, "--template is for the sheet of topics"},
		{[]string{"convert", "-", "--file", filepath.Join(dir, "none", "x")}, "give a file that can be written"},
		{[]string{"export", "--from", "127.0.0.1:1", "--credentials", "OLD"}, "--credentials: the environment has no such"},
		{[]string{"export", "--from", "127.0.0.1:1", "--tls-ca", bad}, "it has no certificate in PEM"},
	} {
		r := run(t, of.args...)
		require.ErrorContains(t, r.failed, of.want, "%v", of.args)
		var f *failure.Error
		require.ErrorAs(t, r.failed, &f)
		require.Equal(t, failure.BadUsage, f.Code, "%v", of.args)
		require.Empty(t, r.out)
	}
}
