package deploy

import (
	"debug/buildinfo"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
)

// image is a stage of the Dockerfile, with what it has of the stage that it begins with.
type image struct {
	entry       string   // name of the program that it runs
	programs    []string // names of those in it
	ports       []string
	environment map[string]string
	user        string
	commands    []string // of RUN
}

// knows reports whether a program of the image says in its help that it reads an environment
// variable.
func (i image) knows(t *testing.T, variable string) bool {
	t.Helper()
	for _, name := range i.programs {
		if strings.Contains(said(t, folderOf(t, name), "--help"), variable) {
			return true
		}
	}
	return false
}

// folderOf is the folder of a program of the Makefile.
func folderOf(t *testing.T, name string) string {
	t.Helper()
	folder, known := programs(t)[name]
	require.True(t, known, "%s is no program of the Makefile", name)
	return strings.TrimPrefix(folder, "./")
}

var stageLine = regexp.MustCompile(`^FROM (\S+)(?: AS (\S+))?$`)

// readDockerfile reads the images of the Dockerfile, by name.
func readDockerfile(t *testing.T) map[string]image {
	t.Helper()
	b, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(b), "")
	images, name, now := map[string]image{}, "", image{}
	for _, line := range strings.Split(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "":
		case "FROM":
			found := stageLine.FindStringSubmatch(line)
			require.NotNil(t, found, line)
			name = found[2]
			require.NotEmpty(t, name, "%s: every image has a name", line)
			now = images[found[1]]
			environment := map[string]string{}
			maps.Copy(environment, now.environment)
			now.environment = environment
		case "COPY":
			now.copies(t, images, strings.Fields(rest))
		case "ENV":
			for _, pair := range strings.Fields(rest) {
				key, value, _ := strings.Cut(pair, "=")
				now.environment[key] = value
			}
		case "EXPOSE":
			now.ports = strings.Fields(rest)
		case "USER":
			now.user = rest
		case "RUN":
			now.commands = append(now.commands, rest)
		case "ENTRYPOINT":
			now.entry = filepath.Base(strings.Trim(rest, `[]"`))
		case "CMD", "WORKDIR", "ARG":
		default:
			t.Fatalf("the test doesn't know %q", line)
		}
		images[name] = now
	}
	return images
}

// copies notes the programs that a line takes from another image.
func (i *image) copies(t *testing.T, images map[string]image, words []string) {
	t.Helper()
	for _, word := range words {
		if from, other := strings.CutPrefix(word, "--from="); other {
			require.Contains(t, images, from, "COPY of an image that is made before")
		}
		if name, program := strings.CutPrefix(word, "/out/"); program {
			i.programs = append(i.programs, name)
		}
	}
}

func TestImagesHaveTheirProgramsAndRunThemNotAsRoot(t *testing.T) {
	images := readDockerfile(t)
	build := strings.Join(images["build"].commands, "\n")
	require.Contains(t, build, "CGO_ENABLED=0", "binaries are static")
	for name, want := range map[string][]string{
		"worker":  {"rocketshift", "rocketshift-worker"},
		"gateway": {"rocketshift-gateway"},
	} {
		is := images[name]
		require.ElementsMatch(t, want, is.programs, name)
		require.Contains(t, want, is.entry, name)
		require.Equal(t, "65532:65532", is.user, "%s is not root", name)
		for _, program := range want {
			require.Contains(t, build, program+"=./"+folderOf(t, program), "it is built")
		}
	}
	require.Equal(t, "/data", images["worker"].environment["ROCKETSHIFT_HOME"])
	b, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	text := string(b)
	require.Contains(t, text[strings.LastIndex(text, "\nFROM "):], " AS worker\n",
		"plain docker build makes the worker's")
}

// The command that builds in the image builds here too, with its folders below a folder of the
// test. It is long at first, as -trimpath shares nothing with other builds.
func TestLongTheDockerfilesBuildMakesStaticProgramsOfThatVersion(t *testing.T) {
	labtest.NeedsServers(t) // or as much time
	commands := readDockerfile(t)["build"].commands
	out := t.TempDir()
	script := strings.NewReplacer(" /out", " "+out+"/out", `"/out`, `"`+out+`/out`, " /data", " "+out+"/data").
		Replace(commands[len(commands)-1])
	command := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
	command.Dir, command.Env = "..", append(os.Environ(), "VERSION=v1.2.3")
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.DirExists(t, filepath.Join(out, "data"))
	for _, name := range []string{"rocketshift", "rocketshift-worker", "rocketshift-gateway"} {
		program := filepath.Join(out, "out", name)
		info, err := buildinfo.ReadFile(program)
		require.NoError(t, err)
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		require.Equal(t, "0", settings["CGO_ENABLED"], name)
		line, err := exec.CommandContext(t.Context(), program, "--version").Output()
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(line), name+" v1.2.3 ("), "%s", line)
	}
}
