package deploy

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/reference"
)

// builds are lines of the Makefile that build a program: its name, its package.
var builds = regexp.MustCompile(`(?m)^\tgo build .*-o \$\(BIN\)/(\S+) (\./\S+)$`)

// programs are those of the Makefile, by name, with their packages.
func programs(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	all := map[string]string{}
	for _, found := range builds.FindAllStringSubmatch(string(text), -1) {
		all[found[1]] = found[2]
	}
	require.NotEmpty(t, all)
	return all
}

// builtIn is the folder of the programs, if a test has asked for them.
var builtIn string

// built is a folder with all programs, each with the name of its package's folder.
var built = sync.OnceValues(func() (dir string, err error) {
	if builtIn, err = os.MkdirTemp("", "programs-"); err != nil {
		return "", err
	}
	args := []string{"build", "-ldflags", "-s -w", "-o", builtIn + "/"} // half of the time to link
	for _, folder := range mains {
		args = append(args, "./"+folder)
	}
	build := exec.Command("go", args...)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return builtIn, nil
})

// mains are the folders of the programs that people run.
var mains = []string{"starter", "worker", "gateway", "demo", "demo/app", "demo/app5"}

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

// said is what a program says to these arguments, in an empty folder and with an address of
// Temporal at which nobody may call.
func said(t *testing.T, folder string, args ...string) string {
	t.Helper()
	dir, err := built()
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var calls atomic.Int32
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			connection.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a guard
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(dir, filepath.Base(folder)), args...)
	command.Dir = t.TempDir()
	command.Env = []string{"HOME=" + command.Dir, "TEMPORAL_ADDRESS=" + listener.Addr().String()}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	require.NoError(t, listener.Close())
	require.NoError(t, err, "%s %v says %s%s", folder, args, stdout.String(), stderr.String())
	require.Empty(t, stderr.String(), "%s %v", folder, args)
	require.Zero(t, calls.Load(), "%s %v called Temporal", folder, args)
	left, err := os.ReadDir(command.Dir)
	require.NoError(t, err)
	require.Empty(t, left, "%s %v wrote files", folder, args)
	return stdout.String()
}

func TestTheMakefileBuildsEveryProgram(t *testing.T) {
	var folders []string
	for _, folder := range programs(t) {
		folders = append(folders, strings.TrimPrefix(folder, "./"))
	}
	require.ElementsMatch(t, mains, folders)
	for _, top := range []string{"starter", "worker", "gateway", "demo"} {
		require.NoError(t, filepath.WalkDir("../"+top, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testdata" {
				return filepath.SkipDir // programs of tests, which build them
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), "\nfunc main() {") {
				require.Contains(t, mains, strings.TrimPrefix(filepath.Dir(path), "../"), "%s is a program", path)
			}
			return err
		}))
	}
}

func TestProgramsTellHelpAndVersionWithoutAnything(t *testing.T) {
	for name, folder := range programs(t) {
		t.Run(name, func(t *testing.T) {
			folder := strings.TrimPrefix(folder, "./")
			for _, flag := range []string{"--help", "-h"} {
				help := said(t, folder, flag)
				require.Contains(t, help, name, flag)
				require.Greater(t, strings.Count(help, "\n"), 3, "%s says what it takes: %s", flag, help)
				require.Contains(t, help, "version", "the other flag that needs nothing")
			}
			version := said(t, folder, "--version")
			require.Regexp(t, `^`+name+` \S+ \(.*go1\.\d+.*\)\n$`, version)
		})
	}
}

var (
	target   = regexp.MustCompile(`(?m)^([a-z-]+):`)
	longFlag = regexp.MustCompile(`--[a-z-]+`)
)

// What the README tells to type is there: targets of the Makefile, commands and their flags.
func TestCommandsOfTheReadmeExist(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	targets := map[string]bool{}
	for _, found := range target.FindAllStringSubmatch(string(makefile), -1) {
		targets[found[1]] = true
	}
	commands := 0
	for _, typed := range reference.Blocks(string(readme), "") {
		for _, line := range strings.Split(typed, "\n") {
			line, comment, _ := strings.Cut(line, " #")
			words := strings.Fields(line)
			switch {
			case len(words) > 1 && words[0] == "make":
				for _, word := range words[1:] {
					require.True(t, strings.Contains(word, "=") || targets[word], "make %s", word)
				}
			case len(words) > 0 && strings.HasPrefix(words[0], "bin/"):
				ask := []string{"--help"}
				if words[0] == "bin/rocketshift" {
					ask = []string{words[1], "--help"}
					if words[1] == "targets" && len(words) > 2 {
						ask = []string{words[1], words[2], "--help"}
					}
				}
				help := said(t, folderOf(t, strings.TrimPrefix(words[0], "bin/")), ask...)
				for _, flag := range append(longFlag.FindAllString(line, -1), longFlag.FindAllString(comment, -1)...) {
					require.Contains(t, help, flag+" ", line)
				}
			default:
				continue
			}
			commands++
		}
	}
	require.Greater(t, commands, 15)
}
