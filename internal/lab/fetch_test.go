package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fetchLab is a project root of its own in which tools/jars/fetch.sh runs, with programs that only
// pretend.
type fetchLab struct {
	t    *testing.T
	root string
	bin  string // the only folder on the PATH
}

func newFetchLab(t *testing.T) *fetchLab {
	t.Helper()
	project, err := Root()
	require.NoError(t, err)
	l := &fetchLab{t: t, root: t.TempDir(), bin: t.TempDir()}
	require.NoError(t,
		os.CopyFS(filepath.Join(l.root, "tools", "jars"), os.DirFS(filepath.Join(project, "tools", "jars"))))
	for _, name := range strings.Fields("bash dirname ls tr cat cksum sed head awk df mkdir rm grep") {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(l.bin, name)))
	}
	l.program("java", `echo 'openjdk version "17.0.1"' >&2`)
	// It notes each run, and copies what dependency:copy-dependencies would.
	l.program("mvn",
		`echo run >>`+l.root+`/runs; for a; do case $a in -DoutputDirectory=*) echo jar >"${a#*=}/x.jar";; esac; done`)
	return l
}

func (l *fetchLab) program(name, script string) {
	l.t.Helper()
	file := filepath.Join(l.bin, name)
	require.NoError(l.t, os.RemoveAll(file))
	require.NoError(l.t, os.WriteFile(file, []byte("#!"+filepath.Join(l.bin, "bash")+"\n"+script+"\n"), 0o755))
}

func (l *fetchLab) fetch(versions ...string) (output string, err error) {
	cmd := exec.Command(
		filepath.Join(l.bin, "bash"),
		append([]string{filepath.Join(l.root, "tools", "jars", "fetch.sh")}, versions...)...)
	cmd.Env = []string{"PATH=" + l.bin}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (l *fetchLab) runs() int {
	raw, _ := os.ReadFile(filepath.Join(l.root, "runs"))
	return strings.Count(string(raw), "run\n")
}

// versions are those that have a pom.
var versions = []string{"4.4.0", "4.5.2", "4.7.1", "4.9.7", "5.3.3", "5.5.0"}

func TestFetchGetsEveryVersionOnce(t *testing.T) {
	l := newFetchLab(t)
	for range 2 {
		out, err := l.fetch()
		require.NoError(t, err, out)
		require.Equal(t, len(versions), l.runs())
	}
	for _, version := range versions {
		_, err := Files{Jars: filepath.Join(l.root, ".cache", "jars")}.classPath(version)
		require.NoError(t, err)
	}
}

func TestFetchRepeatsAnInterruptedDownload(t *testing.T) {
	l := newFetchLab(t)
	left := filepath.Join(l.root, ".cache", "jars", "4.9.7", "half.jar")
	require.NoError(t, writeFile(left, "half"))
	out, err := l.fetch("4.9.7")
	require.NoError(t, err, out)
	require.Equal(t, 1, l.runs())
	require.NoFileExists(t, left)
}

func TestFetchRepeatsAfterAChangeOfThePom(t *testing.T) {
	l := newFetchLab(t)
	_, err := l.fetch("4.9.7")
	require.NoError(t, err)
	require.NoError(t,
		os.WriteFile(filepath.Join(l.root, "tools", "jars", "4.9.7", "pom.xml"), []byte("<project/>"), 0o644))
	_, err = l.fetch("4.9.7")
	require.NoError(t, err)
	require.Equal(t, 2, l.runs())
}

func TestFetchSaysInOneSentenceWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		breaks func(*fetchLab)
		says   string
	}{
		"no java": {func(l *fetchLab) { l.remove("java") }, "no java found: install a JDK or JRE of version " +
			"17 or newer"},
		"old java": {func(l *fetchLab) { l.program("java", `echo 'java version "1.8.0_402"' >&2`) }, "java is version 8, 17 or newer is needed"},
		"no Maven": {func(l *fetchLab) { l.remove("mvn") }, "no mvn found: install Apache Maven"},
		"full disk": {
			func(l *fetchLab) { l.program("df", "echo head; echo /dev/x 100 99 1 99% /") },
			"has 1 MB free, 400 MB are needed: free some space",
		},
		"no network": {func(l *fetchLab) { l.program("mvn", "echo '[ERROR] cannot resolve'; exit 1") }, "check the network and Maven's settings.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newFetchLab(t)
			c.breaks(l)
			out, err := l.fetch("4.9.7")
			require.Error(t, err)
			require.Contains(t, out, "jars: ")
			require.Contains(t, out, c.says)
			require.NoFileExists(t, filepath.Join(l.root, ".cache", "jars", "4.9.7", ".complete"))
		})
	}
}

func TestFetchRefusesAVersionWithoutAPom(t *testing.T) {
	out, err := newFetchLab(t).fetch("6.0.0")
	require.Error(t, err)
	require.Contains(t, out, "there is no pom for version 6.0.0: known are "+strings.Join(versions, " "))
}

func (l *fetchLab) remove(name string) { require.NoError(l.t, os.Remove(filepath.Join(l.bin, name))) }
