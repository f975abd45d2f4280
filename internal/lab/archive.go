package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A server loads and checks thousands of classes from more than a hundred jars when it starts. With
// an archive of these classes (JEP 350) a JVM needs about half the processor time for that. Without
// an archive, or with one of another Java or other jars, the server starts as usual.

// archiveTime bounds how long a server may take to end and to write its archive.
const archiveTime = 2 * time.Minute

// unfinished ends the name of an archive that is being written.
const unfinished = ".new"

// archive is the file of a server's classes.
func (f Files) archive(version string, r role) string {
	return filepath.Join(f.Jars, version+"-"+strings.ReplaceAll(string(r), " ", "")+".jsa")
}

// archiveArgs are the JVM's options about archives.
func (c *Cluster) archiveArgs(r role) []string {
	file := c.state.Files.archive(c.state.Spec.Version, r)
	if c.state.Spec.archives {
		return []string{"-XX:ArchiveClassesAtExit=" + file + unfinished}
	}
	if _, err := os.Stat(file); err != nil {
		return nil
	}
	return []string{"-XX:SharedArchiveFile=" + file, "-Xlog:cds=off", "-Xlog:class+path=off"}
}

// Archive writes the archives of a version's servers, by running each of them once. It keeps
// archives of the same Java and jars, and reports whether it wrote any.
func (f Files) Archive(ctx context.Context, version string) (written bool, err error) {
	stamp := filepath.Join(f.Jars, version+".archived")
	is, err := f.archivedFor(version)
	if err != nil {
		return false, err
	}
	if was, err := os.ReadFile(stamp); err == nil && string(was) == is {
		return false, nil
	}
	dir, err := os.MkdirTemp(f.Jars, "archiving-")
	if err != nil {
		return false, fmt.Errorf("folder to archive in: %w", err)
	}
	defer os.RemoveAll(dir)
	spec := ClusterSpec{Version: version, archives: true}
	spec.Proxy = spec.is5()
	c, err := Start(ctx, f, filepath.Join(dir, "cluster"), spec)
	if err != nil {
		return false, err
	}
	for _, r := range []role{roleProxy, roleBroker, roleNameServer} {
		if len(c.servers(r)) == 0 {
			continue
		}
		file := f.archive(version, r)
		err := c.endAll(r, archiveTime)
		if err == nil {
			err = os.Rename(file+unfinished, file) // servers that run keep the one that they have mapped
		}
		if err != nil {
			return false, errors.Join(err, c.Kill())
		}
	}
	return true, os.WriteFile(stamp, []byte(is), 0o644)
}

// archivedFor names what archives depend on.
func (f Files) archivedFor(version string) (string, error) {
	jars, err := f.classPath(version)
	if err != nil {
		return "", err
	}
	complete, err := os.ReadFile(filepath.Join(f.Jars, version, ".complete"))
	if err != nil {
		return "", err
	}
	java, err := exec.Command(f.Java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w", f.Java, err)
	}
	return fmt.Sprintf("%s\n%s\n%s", jars, complete, java), nil
}

// ServerVersions are the versions with the jars of servers; others have only those of the client.
func (f Files) ServerVersions() (all []string, err error) {
	brokers, err := filepath.Glob(filepath.Join(f.Jars, "*", "rocketmq-broker-*.jar"))
	for _, jar := range brokers {
		all = append(all, filepath.Base(filepath.Dir(jar)))
	}
	return all, err
}
