// Package store reads the files in which brokers keep topics, groups and positions (topics.json,
// subscriptionGroup.json, consumerOffset.json), and name servers their KV (kvConfig.json).
package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/brokerjson"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Reader reads the files of one broker, or of one name server.
type Reader struct {
	// Broker is its name. Without it, topics.json must tell it: a broker has a topic of its own name.
	Broker string
	Files  []string
}

// KV is the gap of what name servers keep.
const KV = "order configuration and other KV"

// names are the files of a folder that are read.
var names = []string{"topics.json", "subscriptionGroup.json", "consumerOffset.json", "kvConfig.json"}

// Folder is the reader of a broker's store, or of its folder "config". It is an error if it has
// none of the files.
func Folder(broker, dir string) (Reader, error) {
	r := Reader{Broker: broker}
	for _, at := range []string{dir, filepath.Join(dir, "config"), filepath.Join(dir, "store", "config")} {
		for _, name := range names {
			_, err := os.Stat(filepath.Join(at, name))
			if err == nil {
				r.Files = append(r.Files, filepath.Join(at, name))
			} else if !errors.Is(err, fs.ErrNotExist) {
				return r, &metadata.Problem{In: dir, Why: err.Error()}
			}
		}
		if len(r.Files) > 0 {
			return r, nil
		}
	}
	return r, &metadata.Problem{In: dir, Why: "it has no topics.json, subscriptionGroup.json, consumerOffset.json or " +
		"kvConfig.json, neither in config/ nor in store/config/"}
}

// Read reads the files. RocketMQ's own topics and groups are left out.
func (r Reader) Read(context.Context) (metadata.Cluster, metadata.Gaps, error) {
	var gaps metadata.Gaps
	documents := make([]remoting.Object, len(r.Files))
	system := brokerjson.System{}
	for i, file := range r.Files {
		o, err := brokerjson.ReadFile(file)
		if err == nil {
			if err = brokerjson.Known(o); err != nil {
				err = &metadata.Problem{In: file, Why: err.Error()}
			}
		}
		if err != nil {
			return metadata.Cluster{}, nil, err
		}
		if documents[i] = o; brokerjson.Has(o, "topicConfigTable") {
			system = ownNames(o)
		}
	}
	if r.Broker != "" {
		system.Brokers = []string{r.Broker}
	}
	c, err := r.join(documents, system, &gaps)
	if err != nil {
		return c, gaps, err
	}
	system.Strip(&c)
	c.Origin.Door = "store"
	c.Sort()
	if len(c.Brokers) > 0 {
		gaps.Add(KV, "a broker's files don't tell them; kvConfig.json of a name server does")
		gaps.Add("filters of subscriptions", "a broker's files don't tell them; a live cluster does")
	}
	return c, gaps, nil
}

func (r Reader) join(
	documents []remoting.Object, system brokerjson.System, gaps *metadata.Gaps,
) (metadata.Cluster, error) {
	c := metadata.New(metadata.Origin{})
	for i, o := range documents {
		problem := func(err error) error { return &metadata.Problem{In: r.Files[i], Why: err.Error()} }
		if brokerjson.Has(o, "topicConfigTable") && len(system.Brokers) == 0 {
			return c, problem(errors.New("it doesn't tell the broker's name: give it, as in broker-a=" + r.Files[i]))
		}
		broker := ""
		if len(system.Brokers) > 0 {
			broker = system.Brokers[0]
		}
		part, err := brokerjson.Tables(o, broker, gaps)
		if err == nil {
			part.Order, part.KV, err = brokerjson.KV(o)
		}
		if err == nil {
			err = part.Check()
		}
		if err != nil {
			return c, problem(err)
		}
		var told metadata.Gaps
		c, told = metadata.Join(c, part)
		gaps.Join(told)
	}
	if len(system.Brokers) > 0 {
		c.Brokers = []metadata.Broker{{Name: system.Brokers[0], Cluster: system.Cluster}}
	}
	return c, nil
}

// inherit is the bit of a topic's permission that only the topics named like the cluster and the
// broker have, and TBW102 (PermName.PERM_INHERIT).
const inherit = 1

// ownNames finds the names of cluster and broker by their own topics: that of the broker has one
// queue (TopicConfigManager, 4.3 to 5.3.3).
func ownNames(o remoting.Object) brokerjson.System {
	var s brokerjson.System
	for _, entry := range o.Object("topicConfigTable") {
		name := remoting.TextOf(entry.Key)
		t, _ := entry.Value.(remoting.Object)
		if cluster, reply := rocketmq.ReplyCluster(name); reply {
			s.Cluster = cluster
		}
		if rocketmq.SystemTopic(name, "", nil) || t.Number("perm")&inherit == 0 {
			continue
		}
		if t.Number("writeQueueNums") == 1 {
			s.Brokers = append(s.Brokers, name)
		} else if s.Cluster == "" {
			s.Cluster = name
		}
	}
	if len(s.Brokers) > 1 {
		s.Brokers = slices.DeleteFunc(s.Brokers, func(name string) bool { return name == s.Cluster })
	}
	if len(s.Brokers) != 1 {
		s.Brokers = nil
	}
	return s
}
