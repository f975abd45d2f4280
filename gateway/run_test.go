package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsMissingIsSaidInOneSentence(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		says string
	}{
		"no source":      {args: nil, says: "--source is missing"},
		"no host":        {args: []string{"--source", "127.0.0.1:1"}, says: "--advertise is missing"},
		"no token":       {args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1"}, says: "ROCKETSHIFT_GATEWAY_TOKEN is not set"},
		"no keys":        {args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--credentials-env", "GW"}, env: map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef"}, says: "GW_ACCESS_KEY or GW_SECRET_KEY is not set"},
		"a wrong number": {args: []string{"--name-server-port", "x"}, says: "invalid argument"},
		"an unknown key": {args: []string{"--sauce", "x"}, says: "unknown flag"},
		"plain on a network": {
			args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--control", "0.0.0.0:0"},
			env:  map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef"},
			says: "--control-insecure",
		},
		"half a certificate": {
			args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--control-tls-cert", "x"},
			env:  map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef"},
			says: "belong together",
		},
		"no record": {
			args: []string{
				"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--control",
				"127.0.0.1:0", "--audit", t.TempDir(),
			},
			env:  map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef"},
			says: "the record of changes",
		},
		"no name server": {
			args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--control", "127.0.0.1:0", "--name-server-port", "0", "--state", t.TempDir()},
			env:  map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef"}, says: "127.0.0.1:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c1 := command(func(key string) string { return c.env[key] })
			c1.SetArgs(c.args)
			c1.SetOut(&out)
			c1.SetErr(&out)
			err := c1.ExecuteContext(t.Context())
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error()+out.String(), "0123456789abcdef")
		})
	}
}
