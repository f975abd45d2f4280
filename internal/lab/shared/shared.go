// Package shared runs the clusters that the tests of several packages share: one of each version,
// started once by who runs the packages, and found by their test binaries through the environment.
// Temporal isn't shared: workers of one package would take the tasks of another's workflows, and a
// server of its own starts in two seconds.
package shared

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"rocketshift/internal/lab"
)

// Variable is the environment variable that names the folder of the clusters. Empty or absent:
// there are none.
const Variable = "ROCKETSHIFT_TEST_SERVERS"

// Versions are those of the clusters.
var Versions = []string{"4.9.7", "5.3.3"}

// Spec is what tests get when they ask for a cluster that others use too: 4.x with two brokers, 5.x
// with one.
func Spec(version string) lab.ClusterSpec {
	if strings.HasPrefix(version, "5.") {
		return lab.ClusterSpec{Name: "Target", Version: version, Brokers: 1}
	}
	return lab.ClusterSpec{Name: "Source", Version: version, Brokers: 2}
}

// Clusters run until End, or until this process ends.
type Clusters struct {
	Dir string

	mu   sync.Mutex
	ends []func() error
}

// Start starts all clusters at the same time, in folders below dir, which it empties before. The
// 5.x cluster has a proxy.
func Start(ctx context.Context, root, dir string) (*Clusters, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("empty the folder of shared test clusters: %w", err)
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return nil, err
	}
	s := &Clusters{Dir: dir}
	errs := make([]error, len(Versions))
	var all sync.WaitGroup
	for i, version := range Versions {
		all.Go(func() { errs[i] = s.startCluster(ctx, files, version) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, s.End())
	}
	return s, nil
}

func (s *Clusters) startCluster(ctx context.Context, files lab.Files, version string) error {
	spec := Spec(version)
	spec.Proxy = strings.HasPrefix(version, "5.")
	c, err := lab.Start(ctx, files, clusterDir(s.Dir, version), spec)
	if err == nil {
		s.endWith(c.Kill) // nobody needs its data
	}
	return err
}

func (s *Clusters) endWith(end func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, end)
}

// End ends the clusters and removes their folder.
func (s *Clusters) End() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, end := range s.ends {
		errs = append(errs, end())
	}
	s.ends = nil
	return errors.Join(append(errs, os.RemoveAll(s.Dir))...)
}

func clusterDir(dir, version string) string { return filepath.Join(dir, "cluster-"+version) }

// Found are the shared clusters as a test binary sees them.
type Found struct{ dir string }

// Find finds the shared clusters for the tests of a package. It reports false where there are none,
// and for the second process that asks for the same package: that one repeats tests that have
// failed, whose topics and groups exist already, so it needs clusters of its own.
func Find(pkg string) (Found, bool, error) {
	dir := os.Getenv(Variable)
	if dir == "" {
		return Found{}, false, nil
	}
	claim, err := os.OpenFile(filepath.Join(dir, "used-by-"+strings.ReplaceAll(pkg, "/", "-")),
		os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return Found{}, false, nil
	}
	if err != nil {
		return Found{}, false, fmt.Errorf("shared test clusters of %s: %w", Variable, err)
	}
	return Found{dir}, true, claim.Close()
}

// Cluster opens the cluster of a version. It reports false if there is none.
func (f Found) Cluster(version string) (*lab.Cluster, bool, error) {
	c, err := lab.Open(clusterDir(f.dir, version))
	if errors.Is(err, lab.ErrNoCluster) {
		return nil, false, nil
	}
	return c, err == nil, err
}
