package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/demo/driver"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestOptionsComeFromFlagsAndTheEnvironment(t *testing.T) {
	o, err := options(nil, environment(nil))
	require.NoError(t, err)
	require.Equal(t, driver.Options{Name: "demo", Rate: 30, History: 24_000}, o)

	o, err = options([]string{"-rate", "100", "-history", "500", "-kill-worker-during", "Replicate,Shift", "-keep"},
		environment(map[string]string{"APPROVE": "me"}))
	require.NoError(t, err)
	require.Equal(t, driver.Options{
		Name: "demo", Rate: 100, History: 500, Keep: true, Approve: driver.ApproveMe,
		KillWorkerDuring: []string{"Replicate", "Shift"},
	}, o)
}

func TestAnUnknownApproverIsRefused(t *testing.T) {
	_, err := options(nil, environment(map[string]string{"APPROVE": "you"}))
	require.ErrorContains(t, err, `APPROVE="you": allowed: auto, me`)
}
