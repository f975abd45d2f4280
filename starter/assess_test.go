package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/failure"
)

func TestAssessSaysWhichFlagIsMissing(t *testing.T) {
	for line, want := range map[string]string{
		"assess":                                             "which cluster: give its name servers by --from host:port, or --plan plan.yaml",
		"assess --from x":                                    `"x"; want host:port`,
		"assess --from 10.0.0.1:9876 --rate -1":              "--rate -1: want calls per second",
		"assess --plan p.yaml --from 10.0.0.1:9876":          "--plan says which clusters are meant",
		"assess --plan /nowhere/plan.yaml":                   "the plan's file /nowhere/plan.yaml is not there",
		"assess --from 10.0.0.1:9876 -o xml":                 `-o "xml": allowed: text, json, table, markdown`,
		"status x -o markdown":                               `-o "markdown": allowed: text, json`,
		"assess --from 10.0.0.1:9876 --target 10.0.0.1:9876": "10.0.0.1:9876",
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
