package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rocketshift/internal/lab"
)

// job is what a copier is told. The copies go to the topic of the same name.
type job struct {
	Source  []string `json:"source"` // name servers
	Target  []string `json:"target"` // name servers
	Topic   string   `json:"topic"`
	Group   string   `json:"group"`
	Threads int      `json:"threads"` // how many consumers' callbacks run at once
}

// way is a program that copies a topic. It copies until its standard input ends, then prints a line
// "failed <number of failed sends> <the last failure>" and ends with exit code 0.
type way interface {
	name() string
	command(j job) ([]string, error)
}

// waysOf lists all ways. dir is where Java clients write their logs.
func waysOf(root string, files lab.Files, dir string) []way {
	source := filepath.Join(root, "bench", "stock", "Copy.java")
	classPath := filepath.Join(files.Jars, "5.3.3", "*") // clients of 5.x talk to both
	ways := []way{
		javaWay{title: "java-single", java: files.Java, classPath: classPath, source: source, home: dir, batch: 1},
		javaWay{
			title:     "java-batch",
			java:      files.Java,
			classPath: classPath,
			source:    source,
			home:      dir,
			batch:     batchSize,
		},
	}
	for _, w := range goWays() {
		ways = append(ways, w)
	}
	return ways
}

// goWays lists the ways that are written in Go. Another one needs nothing but a line here.
func goWays() []goWay {
	return []goWay{
		{title: "client-go-batch", copy: copyByClientGo},
		{title: "rocketshift", copy: copyByReplicator},
	}
}

// batchSize is what a pull brings by default, so that no batch waits for the next pull.
const batchSize = 32

func find[W way](ways []W, name string) (found W, err error) {
	var names []string
	for _, w := range ways {
		if w.name() == name {
			return w, nil
		}
		names = append(names, w.name())
	}
	return found, fmt.Errorf("unknown way %q, known are: %s", name, strings.Join(names, ", "))
}

// javaWay is Copy.java, compiled by the JVM that runs it.
type javaWay struct {
	title                         string
	java, classPath, source, home string
	batch                         int // messages per send; 1 sends them one by one
}

func (w javaWay) name() string { return w.title }

func (w javaWay) command(j job) ([]string, error) {
	return []string{
		w.java, "-Xmx512m", "-Duser.home=" + w.home, "-Djava.io.tmpdir=" + w.home, "-cp", w.classPath, w.source,
		strings.Join(j.Source, ";"),
		strings.Join(j.Target, ";"), j.Topic, j.Group, strconv.Itoa(j.Threads), strconv.Itoa(w.batch),
	}, nil
}

// goWay is this program once more, in a process of its own whose processor time is the copier's
// alone.
type goWay struct {
	title string
	// copy copies until the context ends, and reports each send that failed.
	copy func(ctx context.Context, j job, failed func(error)) error
}

func (w goWay) name() string { return w.title }

// copyCommand is the first argument of this program when it is to be a copier.
const copyCommand = "copy"

func (w goWay) command(j job) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("path of this program: %w", err)
	}
	raw, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("job of %s: %w", w.title, err)
	}
	return []string{self, copyCommand, w.title, string(raw)}, nil
}
