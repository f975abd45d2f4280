package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq/remotingtest"
)

func TestAssessSaysWhichFlagIsMissing(t *testing.T) {
	for line, want := range map[string]string{
		"assess":                                                               "which cluster: give its name servers by --from host:port, or --plan plan.yaml",
		"assess --from x":                                                      `"x"; want host:port`,
		"assess --from 10.0.0.1:9876 --rate -1":                                "--rate -1: want calls per second",
		"assess --plan p.yaml --from 10.0.0.1:9876":                            "--plan says which clusters are meant",
		"assess --plan p.yaml --leave-out broker-a":                            "--plan says which clusters are meant",
		"assess --from 10.0.0.1:9876 --target-address a:1=b:2":                 "--target-address and --target-cluster need a target",
		"assess --from 10.0.0.1:9876 --source-address 10.1.0.7=10.0.0.1:10911": "source.addresses",
		"assess --from 10.0.0.1:9876 --leave-out a,a":                          "source.leftOut[1]",
		"assess --plan /nowhere/plan.yaml":                                     "the plan's file /nowhere/plan.yaml is not there",
		"assess --from 10.0.0.1:9876 -o xml":                                   `-o "xml": allowed: text, json, table, markdown`,
		"status x -o markdown":                                                 `-o "markdown": allowed: text, json`,
		"assess --from 10.0.0.1:9876 --target 10.0.0.1:9876":                   "10.0.0.1:9876",
	} {
		t.Run(line, func(t *testing.T) {
			o := rocketshiftIn(t, nil, "", nil, strings.Fields(line)...)
			assert.Equal(t, failure.BadUsage, o.code, o.stderr)
			assert.Contains(t, o.stderr, want)
			assert.Empty(t, o.stdout)
		})
	}
}

func TestAssessOfAClusterThatDoesNotAnswerFails(t *testing.T) {
	a, stdout, stderr := capture()
	code := a.run(shortContext(t, guard), strings.Fields("assess --from 127.0.0.1:1"))
	assert.Equal(t, failure.Failed, code)
	assert.Contains(t, stderr.String(), "127.0.0.1:1")
	assert.Empty(t, stdout.String())
}

func source4(version string) *remotingtest.Cluster {
	return &remotingtest.Cluster{
		Name: "C4", Broker: "broker-a", Version: version,
		Topics: map[string]remotingtest.Topic{"orders": {Read: 1, Write: 1, Perm: 6}},
		Groups: map[string]bool{"billing": true}, Offsets: map[string]map[int]int64{"orders@billing": {0: 0}},
	}
}

func TestAssessEndsWith7WhereSomethingIsRefused(t *testing.T) {
	at := source4("V5_3_3").Start(t)
	o := rocketshiftIn(t, nil, "", nil, "assess", "--from", at, "--rate", "0")
	assert.Equal(t, failure.Refused, o.code, o.stderr)
	assert.Contains(t, o.stdout, "refusal source-version: source broker broker-a")
	assert.Contains(t, o.stdout, "  do        name a 4.x cluster in source.nameServers")
	doc := rocketshiftIn(t, nil, "", nil, "assess", "--from", at, "-o", "json").document(t)
	assert.EqualValues(t, failure.Refused, doc["exitCode"])
}

func TestAFirstPlanIsWrittenOnceAndIsOne(t *testing.T) {
	at := source4("V4_9_7").Start(t)
	file := filepath.Join(t.TempDir(), "plan.yaml")
	o := rocketshiftIn(t, nil, "", nil, "plan", "--from", at, "--file", file, "--name", "shop")
	assert.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stderr, "Next: rocketshift assess --plan "+file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), "name: shop ")
	assert.Equal(t, failure.Done, rocketshiftIn(t, nil, "", nil, "plan", file).code)
	assert.Equal(t, failure.Done, rocketshiftIn(t, nil, "", nil, "assess", "--plan", file).code)
	again := rocketshiftIn(t, nil, "", nil, "plan", "--from", at, "--file", file)
	assert.Equal(t, failure.BadUsage, again.code)
	assert.Contains(t, again.stderr, "is there already")
}
