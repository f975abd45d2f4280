package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJavaMajorReadsOldAndNewStyle(t *testing.T) {
	for printed, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`:                        17,
		`openjdk version "21" 2023-09-19`:                             21,
		`java version "1.8.0_402"`:                                    8,
		"Picked up _JAVA_OPTIONS: -Xmx1g\nopenjdk version \"11.0.2\"": 11,
		"no java here": 0,
	} {
		require.Equal(t, want, javaMajor(printed), printed)
	}
}

func TestFindFilesSaysThatJavaIsMissing(t *testing.T) {
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	_, err := FindFiles(t.TempDir())
	require.EqualError(t, err, "no java found (java): install version 17 or newer and put it on the PATH")
}

func TestFindFilesSaysThatJavaIsTooOld(t *testing.T) {
	bin := fakeJava(t, "1.8.0_402")
	_, err := FindFiles(t.TempDir())
	require.EqualError(t, err, bin+"/java is version 8: install version 17 or newer and put it first on the PATH")
}

func TestFindFilesSaysThatJarsAreMissing(t *testing.T) {
	fakeJava(t, "17.0.1")
	root := t.TempDir()
	_, err := FindFiles(root)
	require.EqualError(t, err, "RocketMQ's jars are missing in "+root+`/.cache/jars: run "make jars"`)
}

func TestJarsOfAnInterruptedDownloadCountAsMissing(t *testing.T) {
	files := Files{Jars: t.TempDir()}
	dir := filepath.Join(files.Jars, "4.9.7")
	require.NoError(t, os.Mkdir(dir, 0o755))
	_, err := files.classPath("4.9.7")
	require.ErrorContains(t, err, `run "make jars"`)

	require.NoError(t, os.WriteFile(filepath.Join(dir, ".complete"), nil, 0o644))
	path, err := files.classPath("4.9.7")
	require.NoError(t, err)
	require.Equal(t, dir+"/*", path)
}

func TestRootIsFoundFromAFolderBelow(t *testing.T) {
	t.Setenv(homeVariable, "")
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module rocketshift\n"), 0o644))
	below := filepath.Join(root, "a", "b")
	require.NoError(t, os.MkdirAll(below, 0o755))
	t.Chdir(below)
	found, err := Root()
	require.NoError(t, err)
	require.Equal(t, resolved(t, root), resolved(t, found))
}

func TestRootOutsideTheProjectSaysWhatToDo(t *testing.T) {
	t.Setenv(homeVariable, "")
	t.Chdir(t.TempDir())
	_, err := Root()
	require.ErrorContains(t, err, "change to it, or set ROCKETSHIFT_HOME")
}

func TestRootIsTheHomeVariable(t *testing.T) {
	t.Setenv(homeVariable, "/somewhere")
	found, err := Root()
	require.NoError(t, err)
	require.Equal(t, "/somewhere", found)
}

// fakeJava puts a java of that version, and nothing else but a shell, on the PATH.
func fakeJava(t *testing.T, version string) (bin string) {
	t.Helper()
	bin = t.TempDir()
	script := "#!/bin/sh\necho 'openjdk version \"" + version + "\"' >&2\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "java"), []byte(script), 0o755))
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", bin)
	return strings.TrimSuffix(bin, "/")
}

func resolved(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	return real
}
