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
		"no size": {args: []string{"--memory", "512MB"}, says: "give a whole number with KiB, MiB or GiB"},
		"little memory": {
			args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--control", "127.0.0.1:0", "--memory", "128MiB"},
			env:  map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef", "GOMEMLIMIT": "off"}, says: "give it 268435456 or more",
		},
		"no name server": {
			args: []string{"--source", "127.0.0.1:1", "--advertise", "127.0.0.1", "--control", "127.0.0.1:0", "--name-server-port", "0", "--state", t.TempDir()},
			env:  map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": "0123456789abcdef", "GOMEMLIMIT": "off"}, says: "127.0.0.1:1",
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

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"512MiB": 512 << 20, "1 GiB": 1 << 30, "1048576": 1 << 20, "3KiB": 3 << 10, "7B": 7} {
		var is size
		require.NoError(t, is.Set(text), text)
		require.EqualValues(t, want, is, text)
		again := size(0)
		require.NoError(t, again.Set(is.String()))
		require.Equal(t, is, again)
	}
	for _, text := range []string{"", "MiB", "-1", "0", "1.5GiB", "1TB", "9223372036854775807GiB"} {
		is := size(1)
		require.Error(t, is.Set(text), text)
		require.EqualValues(t, 1, is)
	}
}
