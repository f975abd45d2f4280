package version

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheLineNamesReleaseAndCommit(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"},
	}}
	require.Regexp(t, `^rocketshift v1\.2\.3 \(commit 0123456789ab and more, go1\.\S+, \w+/\w+\)$`,
		line("rocketshift", "", info))
	require.Contains(t, line("rocketshift", "v9", info), "rocketshift v9 (", "what the build was told wins")
	require.Regexp(t, `^rocketshift devel \(go1\.`, line("rocketshift", "", nil))
	require.Regexp(t, `^rocketshift devel \(go1\.`,
		line("rocketshift", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}))
}

func TestOnlyTheFirstArgumentAsks(t *testing.T) {
	for args, want := range map[string]string{
		"--help": "usage: x\n", "-h": "usage: x\n", "help": "usage: x\n", "--version": "x ", "-version": "x ",
		"": "", "run --help": "",
	} {
		var out strings.Builder
		asked := Answer(&out, "x", "usage: x\n", strings.Fields(args))
		require.Equal(t, want != "", asked, args)
		require.True(t, strings.HasPrefix(out.String(), want), "%s: %s", args, out.String())
	}
}
