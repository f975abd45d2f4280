package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func TestWorkerVersioningIsOffUnlessABuildIsNamed(t *testing.T) {
	env := map[string]string{}
	read := func() (worker.DeploymentOptions, error) {
		return versioning(func(name string) string { return env[name] })
	}
	off, err := read()
	require.NoError(t, err)
	assert.False(t, off.UseVersioning)
	assert.Empty(t, versionHint(off))

	env[deploymentVariable] = "moves"
	_, err = read()
	require.ErrorContains(t, err, "ROCKETSHIFT_BUILD_ID is not set")

	env[buildVariable] = " 1.2.0 "
	on, err := read()
	require.NoError(t, err)
	assert.Equal(t, worker.WorkerDeploymentVersion{DeploymentName: "moves", BuildID: "1.2.0"}, on.Version)
	assert.Equal(t, workflow.VersioningBehaviorAutoUpgrade, on.DefaultVersioningBehavior)
	assert.Contains(t, versionHint(on), "--deployment-name moves --build-id 1.2.0")

	delete(env, deploymentVariable)
	on, err = read()
	require.NoError(t, err)
	assert.Equal(t, "rocketshift", on.Version.DeploymentName)
	for _, bad := range []string{"a.b", "a:b", "__a"} {
		env[deploymentVariable] = bad
		_, err := read()
		require.ErrorContains(t, err, "leave out dots", bad)
	}
}
