package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/workflows"
)

const refusal2 = "refused, 2 reasons:\ntopic a: can't be read; exclude it\ntopic b: is gone; leave it out"

func TestErrorsOfSeveralLinesAreOneRowOfTheTable(t *testing.T) {
	s := running(func(s *snapshot) {
		s.Stages[1].State, s.Stages[1].Detail, s.Error = workflows.StageFailed, refusal2, refusal2
	})
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	const line = "refused, 2 reasons: topic a: can't be read; exclude it; topic b: is gone"
	var rows []string
	for _, row := range strings.Split(o.stdout, "\n") {
		if strings.Contains(row, line) {
			rows = append(rows, row)
		}
	}
	require.Len(t, rows, 2, o.stdout)
	assert.Contains(t, rows[0], " Shift")
	assert.Contains(t, rows[1], "Error ")
}
