package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLiveServersStartFromTheArchivesThatMakeJarsHasWritten(t *testing.T) {
	files := testFiles(t)
	versions, err := files.ServerVersions()
	require.NoError(t, err)
	require.Contains(t, versions, "4.9.7")
	require.NotContains(t, versions, "4.4.0", "there is its client alone")
	for _, version := range versions {
		written, err := files.Archive(context.Background(), version)
		require.NoError(t, err)
		require.False(t, written, "run make jars")
		jars, err := files.classPath(version)
		require.NoError(t, err)
		for _, r := range []role{roleNameServer, roleBroker, roleProxy} {
			spec := ClusterSpec{Version: version}
			if r == roleProxy && !spec.is5() {
				continue
			}
			args := newCluster(t.TempDir(), state{Spec: spec, Files: files}).archiveArgs(r)
			require.NotEmpty(t, args)
			args = append(append(memory(r, 0), args...), "-Xshare:on", "-cp", jars,
				"-version") // refuses to start without the archive
			out, err := exec.Command(files.Java, args...).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
	}
}

func TestServersStartWithoutArchives(t *testing.T) {
	c := newCluster(t.TempDir(), state{Spec: ClusterSpec{Version: "4.9.7"}, Files: Files{Jars: t.TempDir()}})
	require.Empty(t, c.archiveArgs(roleBroker))
}

func TestAnArchiveIsWrittenAnewForAnotherJavaOrOtherJars(t *testing.T) {
	jars := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(jars, "4.9.7"), 0o755))
	complete := filepath.Join(jars, "4.9.7", ".complete")
	require.NoError(t, os.WriteFile(complete, []byte("1"), 0o644))
	files := func(java string) Files { return Files{Jars: jars, Java: filepath.Join(fakeJava(t, java), "java")} }
	of := func(f Files) string {
		is, err := f.archivedFor("4.9.7")
		require.NoError(t, err)
		return is
	}
	old, recent := files("17.0.1"), files("21.0.1")
	require.Equal(t, of(old), of(old))
	require.NotEqual(t, of(old), of(recent))
	before := of(old)
	require.NoError(t, os.WriteFile(complete, []byte("2"), 0o644))
	require.NotEqual(t, before, of(old))
	require.True(t, strings.HasPrefix(before, jars), "an archive is of jars in one place")
}
