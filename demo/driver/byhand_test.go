package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"rocketshift/demo/verdict"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/reference"
)

// byHand is somebody who follows the README in a home folder of their own, beside others on this
// machine: addresses are other ones, all else is as it is written.
type byHand struct {
	*demo
	t         *testing.T
	addresses *strings.Replacer
	ports     []int // of the source, the gateway's name server, its control API
	exported  []string
	followed  bool // the migration, to its end
}

const plansName = "orders-2026"

var section = regexp.MustCompile(`(?s)\n## The same by hand\n(.*?)\n## `)

// commandsOfTheReadme are those of the section, without their comments.
func commandsOfTheReadme(t *testing.T) (commands []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, typed := range reference.Blocks(string(section.Find(text)), "") {
		for _, line := range strings.Split(typed, "\n") {
			command, _, _ := strings.Cut(line, " #")
			if command = strings.TrimSpace(command); command != "" {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

// The README's way by hand, word by word: the source, Temporal, the worker, the gateway, the
// applications behind it, the example's plan by commands to its end, and nothing left behind.
func TestLongTheWayByHandOfTheReadme(t *testing.T) {
	labtest.NeedsServers(t)
	h := newByHand(t)
	h.badStarts()
	for _, command := range commandsOfTheReadme(t) {
		t.Logf("%s  %s", time.Now().Format(time.TimeOnly), command)
		h.follow(command)
	}
	require.True(t, h.followed, "a migration is started")
	h.requireTidy()
}

func newByHand(t *testing.T) *byHand {
	t.Helper()
	project, err := lab.Root()
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o755))
	for _, there := range []string{".cache", "bin/temporal"} {
		require.NoError(t, os.Symlink(filepath.Join(project, there), filepath.Join(home, there)))
	}
	for program, folder := range map[string]string{
		"rocketshift": "starter", "rocketshift-worker": "worker", "rocketshift-gateway": "gateway",
		"rocketshift-demo": "demo", "rocketshift-demo-app": "demo/app", "rocketshift-demo-app5": "demo/app5",
	} {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(home, "bin", program), "./"+folder)
		build.Dir = project
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	ports, err := lab.FreePorts(3)
	require.NoError(t, err)
	o := Options{Root: home, Name: plansName, Out: labtest.Output(t, "by hand")}.withDefaults()
	d := &demo{o: o, console: newConsole(o.Out), dir: filepath.Join(home, ".run", "source"), background: true}
	d.newApplications() // to read the ledgers of those that others start
	h := &byHand{demo: d, t: t, ports: ports, addresses: strings.NewReplacer(
		"9876", strconv.Itoa(ports[0]), "9877", strconv.Itoa(ports[1]), "8089", strconv.Itoa(ports[2]),
	)}
	d.deploy = func(ctx context.Context, _, _, nameServers []string) error {
		h.source("release", strings.Join(nameServers, ","))
		return nil
	}
	t.Cleanup(h.endAll)
	return h
}

// endAll ends what a test that failed has left.
func (h *byHand) endAll() {
	for _, p := range []*process{h.worker, h.gateway} {
		if p != nil && p.alive() {
			p.kill()
		}
	}
	if h.temporal != nil {
		_ = h.temporal.Kill()
	}
	s := Source{Root: h.o.Root, Out: labtest.Output(h.t, "end")}
	if d, err := s.open(); err == nil {
		_ = d.endSource()
		_ = d.lock.Close()
	}
	_ = endCluster(filepath.Join(h.o.Root, ".run", "instances", plansName))
}

// run runs a program of the project to its end, with an exit code.
func (h *byHand) run(want int, program string, args ...string) string {
	h.t.Helper()
	command := exec.CommandContext(h.t.Context(), h.bin(program), args...)
	command.Dir, command.Env = h.o.Root, h.environment()
	out, err := command.CombinedOutput()
	require.Equal(h.t, want, command.ProcessState.ExitCode(), "%s %v: %v: %s", program, args, err, out)
	return string(out)
}

func (h *byHand) environment() []string {
	env := append(os.Environ(), "ROCKETSHIFT_HOME="+h.o.Root)
	if h.temporal != nil {
		env = append(env, h.env()...)
	}
	return append(env, h.exported...)
}

func (h *byHand) source(args ...string) string {
	h.t.Helper()
	return h.run(0, "rocketshift-demo", append([]string{"source"}, args...)...)
}

// startArgs are those of make source, at another port and with less to write.
func (h *byHand) startArgs() []string {
	return []string{"start", "-port", strconv.Itoa(h.ports[0]), "-history", "3000"}
}

// badStarts are a port that is taken, and a start that is killed half way.
func (h *byHand) badStarts() {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", h.ports[0]))
	require.NoError(h.t, err)
	said := h.run(1, "rocketshift-demo", append([]string{"source"}, h.startArgs()...)...)
	require.Contains(h.t, said, fmt.Sprintf("port %d, which the name server should get, is in use", h.ports[0]))
	require.NoError(h.t, listener.Close())

	args := append([]string{h.bin("rocketshift-demo"), "source"}, h.startArgs()...)
	killed, err := spawn("source", filepath.Join(h.o.Root, "killed.log"), "never", h.environment(), args...)
	require.NoError(h.t, err)
	require.Eventually(h.t, func() bool {
		files, _ := filepath.Glob(filepath.Join(h.dir, "apps", "*.pid"))
		return len(files) > 0
	}, workerStart, look, "applications should begin to start")
	killed.kill()
	left, err := lab.Processes(h.cluster())
	require.NoError(h.t, err)
	require.Len(h.t, left, 1+sourceBrokers, "the cluster goes on")
}

// follow does what one line of the README says.
func (h *byHand) follow(command string) {
	h.t.Helper()
	words := strings.Fields(h.addresses.Replace(command))
	switch {
	case command == "make build jars": // there already
	case command == "make source":
		h.startTwice()
	case words[0] == "export":
		h.exported = append(h.exported, words[1])
	case command == "make temporal":
		h.startTemporal()
	case command == "bin/rocketshift-worker":
		h.worker = h.begin("worker", "worker ready", "rocketshift-worker")
	case strings.HasPrefix(command, "bin/rocketshift-gateway "):
		state := filepath.Join(h.o.Root, ".run", "gateway") // as in the home folder, where persons are
		more := []string{"--control", fmt.Sprintf("127.0.0.1:%d", h.ports[2]), "--metrics", "off", "--state", state}
		h.gateway = h.begin("gateway", "{", "rocketshift-gateway", append(words[1:], more...)...)
	case strings.HasPrefix(command, "make source-release AT=127.0.0.1:…"),
		strings.HasPrefix(command, "bin/rocketshift released "), strings.HasPrefix(command, "bin/rocketshift approve "):
		h.toTheEnd() // asked again and again: the driver answers each time
	case strings.HasPrefix(command, "make source-release AT="):
		h.source("release", strings.TrimPrefix(words[2], "AT="))
	case strings.HasPrefix(command, "bin/rocketshift status "):
		h.run(3, "rocketshift", words[1], words[2], "--wait") // as its first approval is asked for
	case command == "make source-stop":
		h.stopSource()
	case strings.HasPrefix(command, "bin/rocketshift start "), strings.HasPrefix(command, "bin/rocketshift plan "):
		require.NoError(h.t, h.rocketshift(h.t.Context(), words[1], "-f", h.plansFile(words[3])))
	case strings.HasPrefix(command, "bin/rocketshift targets remove "):
		require.Contains(h.t, h.run(0, "rocketshift", words[1:]...), "was removed")
	case words[0] == "bin/rocketshift":
		h.run(0, "rocketshift", words[1:]...)
	default:
		h.t.Fatalf("the README says %q, which this test doesn't know", command)
	}
}

// startTwice starts the source on what the killed start left, and again.
func (h *byHand) startTwice() {
	said := h.source(h.startArgs()...)
	require.Contains(h.t, said, "make source-release AT=", "it tells what comes next")
	require.NoError(h.t, h.fleet.attach())
	require.NoError(h.t, h.fleet.checkAlive())
	before, err := lab.Processes(h.cluster())
	require.NoError(h.t, err)
	require.Contains(h.t, h.source(h.startArgs()...), "it runs already")
	after, err := lab.Processes(h.cluster())
	require.NoError(h.t, err)
	require.Equal(h.t, before, after)
	for _, a := range h.fleet.all() { // they come and go from now on: ledgers alone are followed
		a.process = nil
	}
}

// startTemporal starts it as make temporal does, on free ports.
func (h *byHand) startTemporal() {
	var err error
	dir := filepath.Join(h.o.Root, ".run", "temporal")
	h.temporal, err = lab.StartTemporal(h.t.Context(), h.o.Root, dir, lab.TemporalSpec{})
	require.NoError(h.t, err)
	h.sdk, err = client.DialContext(h.t.Context(), client.Options{HostPort: h.temporal.Address, Logger: noLog{}})
	require.NoError(h.t, err)
	h.t.Cleanup(h.sdk.Close)
}

func (h *byHand) begin(name, ready, program string, args ...string) *process {
	h.t.Helper()
	log := filepath.Join(h.o.Root, name+".log")
	p, err := spawn(name, log, ready, h.environment(), append([]string{h.bin(program)}, args...)...)
	require.NoError(h.t, err)
	require.NoError(h.t, p.awaitReady(h.t.Context(), workerStart))
	return p
}

// plansFile is the example with the addresses that are used here.
func (h *byHand) plansFile(named string) string {
	text, err := os.ReadFile(filepath.Join("../..", named))
	require.NoError(h.t, err)
	file := filepath.Join(h.o.Root, "plan.yaml")
	require.NoError(h.t, os.WriteFile(file, []byte(h.addresses.Replace(string(text))), 0o600))
	return file
}

// toTheEnd answers what the migration asks, as its status says, until it has ended.
func (h *byHand) toTheEnd() {
	if h.followed {
		return
	}
	h.followed = true
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	require.NoError(h.t, h.watch(ctx))
}

// stopSource ends the source and checks what its applications noted.
func (h *byHand) stopSource() {
	said := strings.Split(strings.TrimSpace(h.source("stop")), "\n")
	var printed verdict.Verdict
	require.NoError(h.t, json.Unmarshal([]byte(said[len(said)-1]), &printed), "%v", said)
	in, err := h.tail.verdictInput()
	require.NoError(h.t, err)
	judged, detail, err := verdict.Judge(in)
	require.NoError(h.t, err)
	require.Equal(h.t, judged, printed)
	reread := int64(len(detail.Reread)) // what a client reads twice by itself, told apart as in the demo's tests
	require.Equal(h.t, [3]int64{}, [3]int64{judged.Lost, judged.Duplicated - reread, judged.OutOfOrder},
		"lost, duplicated without %d that clients read twice by themselves, out of order: %v", reread, detail.Examples)
	require.Greater(h.t, judged.Messages, int64(3000))
	for _, a := range h.fleet.all() {
		require.NoFileExists(h.t, h.fleet.pidFile(a))
	}
	left, err := lab.Processes(h.cluster())
	require.Equal(h.t, []any{0, error(nil)}, []any{len(left), err}, "processes %v", left)
	require.Contains(h.t, h.source("stop"), "nothing to stop", "it may be repeated")
}

// requireTidy checks that nothing is left, and that removing may be repeated, also when Temporal
// has ended.
func (h *byHand) requireTidy() {
	require.NoError(h.t, h.worker.stop(appStop))
	require.NoError(h.t, h.gateway.stop(appStop))
	require.NoError(h.t, h.temporal.Stop())
	require.Contains(h.t, h.run(0, "rocketshift", "targets", "remove", plansName), "nothing to remove")
	require.JSONEq(h.t, `{"targets":[]}`, h.run(0, "rocketshift", "targets", "-o", "json"))
	require.NoDirExists(h.t, filepath.Join(h.o.Root, ".run", "instances", plansName))
}
