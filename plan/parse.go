package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxBytes bounds the JSON of a plan. Every activity gets the plan, and Temporal warns about
// payloads of 512 kB and more.
const MaxBytes = 256 << 10

// maxDepth is far more than a plan's three levels, and keeps paths short.
const maxDepth = 16

// Parse reads a plan from JSON, strictly. It refuses unknown and repeated keys, wrong types and bad
// values, all of them together, each with its path and what is allowed: the error is a *Problems.
// What is left out gets its default.
//
// A plan that was parsed before is read by encoding/json alone, which judges nothing and fills in
// nothing. So rules may become stricter while the plan is in use.
func Parse(b []byte) (Plan, error) {
	p, problems := read(b)
	p = p.WithDefaults()
	problems.join(p.check())
	if err := problems.orNil(); err != nil {
		return Plan{}, err
	}
	return p, nil
}

func read(b []byte) (Plan, *Problems) {
	r := &reader{}
	var p Plan
	if len(b) > MaxBytes {
		r.problems.add("", "the document has %d bytes; allowed: up to %d; use globs instead of lists of names",
			len(b), MaxBytes)
		return p, &r.problems
	}
	tree, err := r.tree(b)
	if err != nil {
		r.problems.add("", "%s", err)
		return p, &r.problems
	}
	members, ok := tree.(map[string]any)
	if !ok {
		r.problems.add("", "the document is %s; want an object with the keys of a plan", kindOf(tree))
		return p, &r.problems
	}
	top := &object{r: r, members: members}
	readPlan(top, &p)
	top.end()
	return p, &r.problems
}

func readPlan(o *object, p *Plan) {
	o.text("name", &p.Name)
	o.object("source", func(o *object) {
		o.texts("nameServers", &p.Source.NameServers)
		o.text("cluster", &p.Source.Cluster)
		o.texts("leftOut", &p.Source.LeftOut)
		o.texts("readSlaves", &p.Source.ReadSlaves)
		byName(o, "addresses", &p.Source.Advertised)
		o.text("id", &p.Source.ID)
		readCredentials(o, &p.Source.Credentials)
	})
	o.object("target", func(o *object) { readTarget(o, &p.Target) })
	o.object("topics", func(o *object) {
		readSelection(o, &p.Topics.Selection)
		byName(o, "types", &p.Topics.Types)
		o.texts("ordered", &p.Topics.Ordered)
	})
	o.object("groups", func(o *object) { readSelection(o, &p.Groups) })
	readMetadata(o, &p.Metadata)
	readUsers(o, &p.Users)
	o.object("traffic", func(o *object) {
		o.text("mode", &p.Traffic.Mode)
		o.texts("gateways", &p.Traffic.Gateways)
		readCredentials(o, &p.Traffic.Credentials)
	})
	o.object("shift", func(o *object) {
		o.numbers("steps", &p.Shift.Steps)
		o.duration("soak", &p.Shift.Soak)
		o.duration("settle", &p.Shift.Settle)
		o.duration("fenceBudget", &p.Shift.FenceBudget)
	})
	o.object("replicate", func(o *object) {
		o.duration("heartbeat", &p.Replicate.Heartbeat)
		o.number("batchMessages", &p.Replicate.BatchMessages)
		o.number("shards", &p.Replicate.Shards)
		o.yesNo("exactBorn", &p.Replicate.ExactBorn)
		o.yesNo("oneWay", &p.Replicate.OneWay)
		o.duration("syncInterval", &p.Replicate.SyncInterval)
	})
	var gates []string
	o.texts("approvals", &gates)
	if gates != nil {
		p.Approvals = []Gate{}
	}
	for _, g := range gates {
		p.Approvals = append(p.Approvals, Gate(g))
	}
}

func readSelection(o *object, s *Selection) {
	o.texts("include", &s.Include)
	o.texts("exclude", &s.Exclude)
}

func readCredentials(o *object, c **Credentials) {
	o.object("credentials", func(o *object) {
		*c = &Credentials{}
		o.text("env", &(*c).Env)
	})
}

func readTarget(o *object, t *Target) {
	o.text("provider", &t.Provider)
	o.texts("nameServers", &t.NameServers)
	o.text("cluster", &t.Cluster)
	byName(o, "addresses", &t.Advertised)
	o.text("proxy", &t.Proxy)
	o.text("id", &t.ID)
	readCredentials(o, &t.Credentials)
	o.text("version", &t.Version)
	o.number("brokers", &t.Brokers)
	readRename(o, &t.Rename)
	o.duration("maxDelay", &t.MaxDelay)
	readAliyun(o, &t.Aliyun)
}

func readRename(o *object, r **Rename) {
	o.object("rename", func(o *object) {
		*r = &Rename{}
		o.text("prefix", &(*r).Prefix)
		byName(o, "topics", &(*r).Topics)
		byName(o, "groups", &(*r).Groups)
	})
}

// tree decodes JSON and notes repeated keys. encoding/json would silently take the last one.
func (r *reader) tree(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := r.value(d, "")
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		return nil, fmt.Errorf("not a plan in JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a plan in JSON: something follows after the document")
	}
	return v, nil
}

func (r *reader) value(d *json.Decoder, path string) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if _, opens := token.(json.Delim); opens {
		if r.depth++; r.depth > maxDepth {
			return nil, fmt.Errorf("%s is nested deeper than any plan", path)
		}
		defer func() { r.depth-- }()
	}
	switch token {
	case json.Delim('{'):
		return r.membersOf(d, path)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := r.value(d, fmt.Sprintf("%s[%d]", path, len(list)))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func (r *reader) membersOf(d *json.Decoder, path string) (any, error) {
	members := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no key", token)
		}
		at := join(path, key)
		if _, twice := members[key]; twice {
			r.problems.add(at, "the key is there twice; keep one")
		}
		if members[key], err = r.value(d, at); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return members, err
}
