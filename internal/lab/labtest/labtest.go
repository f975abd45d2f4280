// Package labtest gives tests real clusters and a real Temporal server.
//
// They take seconds to start, so tests share them: clusters that "make test" started for all
// packages (package shared), or else those of this binary, which start when the first test asks for
// them and which Main ends after the last test. A test that breaks things asks for a cluster of its
// own. Nothing survives the test binary, even if it is killed.
//
// The name of such a test begins with TestLive if it is part of "make test", or with TestLong if
// only "make test-all" runs it. With -short such tests are skipped. Without the servers' jars, Java
// or the Temporal program they fail and say what to run, since a test that silently does nothing
// proves nothing.
package labtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/shared"
)

// startTime is longer than the lab's own limits, which name the server that is late.
const startTime = 15 * time.Minute

// binary is what the tests of this binary share. It is global, as the test binary's own Main
// function and its tests have no other place in common.
var binary registry

// registry starts each thing once, when it is first asked for.
type registry struct {
	mu      sync.Mutex
	running bool // Main is at work, so somebody will clean up
	proxies bool // clusters of 5.x have a proxy
	things  map[string]*thing

	find   sync.Once
	found  shared.Found // clusters that several packages share
	exist  bool
	failed error
}

type thing struct {
	once  sync.Once
	value any
	err   error
	end   func() error
}

// Main runs a test binary's tests and then ends what they shared. Use it as
//
//	func TestMain(m *testing.M) { labtest.Main(m) }
func Main(m *testing.M) {
	runAndEnd(m, false)
}

// MainWithProxies is Main for tests that need the proxies of shared 5.x clusters: starting one
// takes ten seconds of a core.
func MainWithProxies(m *testing.M) { runAndEnd(m, true) }

func runAndEnd(m *testing.M, proxies bool) {
	binary.mu.Lock()
	binary.running, binary.proxies, binary.things = true, proxies, map[string]*thing{}
	binary.mu.Unlock()

	code := m.Run()
	for name, t := range binary.things {
		if t.end == nil {
			continue
		}
		if err := t.end(); err != nil {
			fmt.Fprintf(os.Stderr, "end the shared %s: %v\n", name, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// others finds the clusters that several packages share. Benchmarks don't use them: other tests'
// load would be measured.
func (r *registry) others(t testing.TB) (shared.Found, bool) {
	t.Helper()
	if measures(t) {
		return shared.Found{}, false
	}
	r.find.Do(func() {
		var dir string
		if dir, r.failed = os.Getwd(); r.failed == nil { // a test runs in the folder of its package
			r.found, r.exist, r.failed = shared.Find(dir)
		}
	})
	if r.failed != nil {
		t.Fatal(r.failed)
	}
	return r.found, r.exist
}

// get returns the thing of that name, and starts it if this is the first time.
func (r *registry) get(t testing.TB, name string, start func() (value any, end func() error, err error)) any {
	t.Helper()
	r.mu.Lock()
	if !r.running {
		r.mu.Unlock()
		t.Fatal("the package's tests need: func TestMain(m *testing.M) { labtest.Main(m) }")
	}
	found := r.things[name]
	if found == nil {
		found = &thing{}
		r.things[name] = found
	}
	r.mu.Unlock()

	found.once.Do(func() { found.value, found.end, found.err = start() })
	if found.err != nil {
		t.Fatal(found.err)
	}
	return found.value
}

// Cluster returns a cluster of that version which other tests use too, those of other packages
// among them: 4.x with two brokers, 5.x with one broker, and a proxy where MainWithProxies was
// called. So a test uses topics and groups of its own, with its package's name or its own in
// theirs, and breaks nothing.
func Cluster(t testing.TB, version string) *lab.Cluster {
	t.Helper()
	NeedsServers(t)
	if found, ok := binary.others(t); ok {
		cluster, there, err := found.Cluster(version)
		if err != nil {
			t.Fatal(err)
		}
		if there {
			return cluster
		}
	}
	spec := shared.Spec(version)
	spec.Compiled = measures(t)
	spec.Proxy = binary.proxies && strings.HasPrefix(version, "5.")
	return binary.get(t, "cluster "+version, func() (any, func() error, error) {
		return startCluster(spec)
	}).(*lab.Cluster)
}

// OwnCluster returns a cluster that only this test uses, and may break. It ends with the test.
func OwnCluster(t testing.TB, spec lab.ClusterSpec) *lab.Cluster {
	t.Helper()
	NeedsServers(t)
	spec.Compiled = spec.Compiled || measures(t)
	cluster, end, err := startCluster(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(cluster.Logs())
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// measures reports whether it is a benchmark that asks.
func measures(t testing.TB) bool {
	_, is := t.(*testing.B)
	return is
}

func startCluster(spec lab.ClusterSpec) (*lab.Cluster, func() error, error) {
	root, err := lab.Root()
	if err != nil {
		return nil, nil, err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return nil, nil, err
	}
	dir, err := newDir(root)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	cluster, err := lab.Start(ctx, files, filepath.Join(dir, "cluster"), spec)
	if err != nil {
		return nil, nil, err
	}
	return cluster, func() error {
		if err := cluster.Kill(); err != nil { // nobody needs its data
			return err
		}
		return os.RemoveAll(dir)
	}, nil
}

// Temporal returns a Temporal development server that all tests of this binary share. So a test
// uses task queues and workflow ids of its own.
func Temporal(t testing.TB) *lab.Temporal {
	t.Helper()
	NeedsServers(t)
	return binary.get(t, "Temporal server", startTemporal).(*lab.Temporal)
}

func startTemporal() (any, func() error, error) {
	root, err := lab.Root()
	if err != nil {
		return nil, nil, err
	}
	dir, err := newDir(root)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	temporal, err := lab.StartTemporal(ctx, root, dir, lab.TemporalSpec{})
	if err != nil {
		return nil, nil, err
	}
	return temporal, func() error {
		if err := temporal.Kill(); err != nil {
			return err
		}
		return os.RemoveAll(dir)
	}, nil
}

// names are how those of tests with servers begin: the Makefile's targets choose by it.
var names = []string{"TestLive", "TestLong", "Benchmark"}

// loops is the environment variable with which make test-loops runs what takes hours.
const loops = "ROCKETSHIFT_LOOPS"

// Loop is for tests that go through every case of a kind for an hour or more, or fill the machine
// for many minutes: make test-loops runs them; most have a sample among the short tests.
func Loop(t testing.TB) {
	t.Helper()
	if os.Getenv(loops) == "" {
		t.Skip("make test-loops runs it: it takes too long for make test-all")
	}
}

// Whole tells whether a test that also has a short form is to run all its rounds and kinds:
// make test-loops does, make test-long runs the short forms, which fit between two changes.
func Whole() bool { return os.Getenv(loops) != "" }

// Rounds are all rounds of a test in make test-loops, and fewer in make test-long.
func Rounds(all, fewer int) int {
	if Whole() {
		return all
	}
	return fewer
}

// NeedsServers skips the test with -short, and wants it to be named as one that needs servers.
func NeedsServers(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real servers")
	}
	if !slices.ContainsFunc(names, func(begin string) bool { return strings.HasPrefix(t.Name(), begin) }) {
		t.Fatalf(
			"%s needs servers, so its name must begin with TestLive, or with TestLong if only \"make "+
				"test-all\" runs it",
			t.Name(),
		)
	}
}

// keepFor leaves what a killed or failed test left behind to its reader for a while.
const keepFor = time.Hour
