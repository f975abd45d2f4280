package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

func TestTheWorkerSaysWhichHostsGetItsSecrets(t *testing.T) {
	environment := map[string]string{
		"ROCKETSHIFT_HOME": t.TempDir(), "ROCKETSHIFT_SECRETS": "GATEWAY=10.0.0.9:8089",
		"GATEWAY_TOKEN": "the-token",
	}
	s, err := readSettings(func(name string) string { return environment[name] })
	require.NoError(t, err)
	to := func(at string) error {
		_, err := s.Secrets.Gateways(plan.Traffic{
			Gateways:    []string{at},
			Credentials: &plan.Credentials{Env: "GATEWAY"},
		})
		return err
	}
	require.NoError(t, to("https://10.0.0.9:8089"))
	require.ErrorContains(t, to("https://10.0.0.10:8089"),
		"doesn't send GATEWAY_TOKEN to 10.0.0.10:8089")

	environment["ROCKETSHIFT_SECRETS"] = "GATEWAY:10.0.0.9"
	_, err = readSettings(func(name string) string { return environment[name] })
	assert.ErrorContains(t, err, "ROCKETSHIFT_SECRETS: want entries such as",
		"a worker whose configuration can't be read doesn't start")
}

func TestTheStoreIsInTheHomeFolderUnlessTheWorkerIsToldOtherwise(t *testing.T) {
	environment := map[string]string{"ROCKETSHIFT_HOME": t.TempDir()}
	getenv := func(name string) string { return environment[name] }
	s, err := readSettings(getenv)
	require.NoError(t, err)
	assert.Equal(t, "file://"+environment["ROCKETSHIFT_HOME"]+"/.run/store", s.Store.String())
	require.NoError(t, checkStore(t.Context(), s))
	environment["ROCKETSHIFT_STORE"] = "file:///not/mounted"
	s, err = readSettings(getenv)
	require.NoError(t, err)
	assert.ErrorContains(t, checkStore(t.Context(), s), "the store file:///not/mounted doesn't work")
	environment["ROCKETSHIFT_STORE"] = "ftp://host"
	_, err = readSettings(getenv)
	assert.ErrorContains(t, err, "ROCKETSHIFT_STORE")
}
