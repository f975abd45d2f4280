// Package sources finds which door reads the files and folders that a person names.
package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rocketshift/internal/files"
	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/brokerjson"
	"rocketshift/internal/metadata/mqadmin"
	"rocketshift/internal/metadata/sheet"
	"rocketshift/internal/metadata/store"
	"rocketshift/internal/printable"
)

// Options are what files don't tell themselves.
type Options struct {
	// Brokers are the masters over which mqadmin exportMetadata added up queues.
	Brokers []string
	// Stdin is what the name - reads.
	Stdin func() ([]byte, error)
}

// Open finds the doors of all that is named: models, stores of brokers as folders or files (with a
// broker's name before them, broker-a=FOLDER, where they don't tell it), what mqadmin wrote, sheets,
// and files of ACL 1.0.
// Together they are one cluster.
func Open(named []string, o Options) (metadata.Reader, error) {
	var all []metadata.Reader
	summed, accounted := -1, -1 // in all
	brokers := map[string]int{} // stores in all, by broker
	for _, name := range named {
		broker, path := split(name)
		kind, err := kindOf(path)
		if err != nil {
			return nil, &metadata.Problem{In: path, Why: err.Error()}
		}
		switch kind {
		case folder:
			r, err := store.Folder(broker, path)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		case sum:
			if summed < 0 {
				summed = len(all)
				all = append(all, mqadmin.Reader{Brokers: o.Brokers})
			}
			r := all[summed].(mqadmin.Reader)
			r.Files = append(r.Files, path)
			all[summed] = r
		case table:
			i, there := brokers[broker]
			if !there {
				i = len(all)
				brokers[broker] = i
				all = append(all, store.Reader{Broker: broker})
			}
			r := all[i].(store.Reader)
			r.Files = append(r.Files, path)
			all[i] = r
		case workbook:
			all = append(all, sheet.Reader{File: path})
		case acl: // all files together: an account stands in one of them
			if accounted < 0 {
				accounted = len(all)
				all = append(all, accounts{})
			}
			r := all[accounted].(accounts)
			r.paths = append(r.paths, path)
			all[accounted] = r
		default:
			all = append(all, model{path, o.Stdin})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("nothing to read is named")
	}
	return together{all, named}, nil
}

// kind is what a file is.
type kind int

const (
	document kind = iota // a model
	folder               // of a broker's store
	table                // of one broker or name server
	sum                  // over all brokers
	workbook
	acl // files of ACL 1.0, or a folder of them
)

// split takes a broker's name off: broker-a=PATH, unless there is a file of that whole name.
func split(name string) (broker, path string) {
	before, after, named := strings.Cut(name, "=")
	if _, err := os.Stat(name); !named || err == nil {
		return "", name
	}
	return before, after
}

func kindOf(path string) (kind, error) {
	if path == "-" {
		return document, nil
	}
	about, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, errors.New("it is not there")
	}
	if err != nil {
		return 0, err
	}
	if about.IsDir() {
		if holdsACL(path) {
			return acl, nil
		}
		return folder, nil
	}
	if strings.EqualFold(filepath.Ext(path), ".xlsx") {
		return workbook, nil
	}
	text, err := files.ReadBounded(path, brokerjson.MostBytes)
	switch {
	case err != nil:
		return 0, err
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return workbook, nil
	}
	if text, err = files.ReadText(path, brokerjson.MostBytes); err != nil {
		return 0, err
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' {
		if ofACL.Match(text) {
			return acl, nil
		}
		return document, nil
	}
	o, err := brokerjson.Document(text)
	switch {
	case err != nil:
		return 0, err
	case brokerjson.Has(o, "kind"):
		return document, nil
	case mqadmin.Summed(o):
		return sum, nil
	}
	return table, brokerjson.Known(o)
}

// model reads a document of the model itself.
type model struct {
	path  string
	stdin func() ([]byte, error)
}

func (m model) Read(context.Context) (c metadata.Cluster, gaps metadata.Gaps, err error) {
	var text []byte
	name := m.path
	if name == "-" && m.stdin != nil {
		name = "standard input"
		text, err = m.stdin()
	} else {
		text, err = files.ReadText(m.path, metadata.MaxBytes)
	}
	if err != nil {
		return c, nil, &metadata.Problem{In: name, Why: err.Error()}
	}
	c, err = metadata.Parse(name, text)
	return c, nil, err
}

// together reads several parts of one cluster.
type together struct {
	parts []metadata.Reader
	named []string
}

func (t together) Read(ctx context.Context) (metadata.Cluster, metadata.Gaps, error) {
	var gaps metadata.Gaps
	parts := make([]metadata.Cluster, len(t.parts))
	for i, r := range t.parts {
		var told metadata.Gaps
		var err error
		if parts[i], told, err = r.Read(ctx); err != nil {
			return parts[i], gaps, err
		}
		gaps.Join(told)
	}
	c, told := parts[0], metadata.Gaps(nil)
	if len(parts) > 1 {
		c, told = metadata.Join(parts...)
	}
	gaps.Join(told)
	everywhere(&c)
	if len(c.Order)+len(c.KV) > 0 { // a name server's file is among them
		gaps = slices.DeleteFunc(gaps, func(g metadata.Gap) bool { return g.What == store.KV })
	}
	if c.Origin.Of == "" {
		c.Origin.Of = printable.First(t.named, shownNames)
	}
	if err := c.Check(); err != nil {
		return c, gaps, fmt.Errorf("the files together: %w", err)
	}
	return c, gaps, nil
}

// shownNames is how many files the origin names.
const shownNames = 10

// everywhere leaves out which brokers have a group where all known ones have it.
func everywhere(c *metadata.Cluster) {
	for i, g := range c.Groups {
		if len(g.Brokers) > 0 && len(g.Brokers) == len(c.Brokers) {
			c.Groups[i].Brokers = nil
		}
	}
}
