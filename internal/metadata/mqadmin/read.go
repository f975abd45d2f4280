// Package mqadmin reads what mqadmin exportMetadata and exportConfigs wrote for a whole cluster.
//
// exportMetadata -c adds up the queues of all brokers, also those of groups' retry topics, and takes
// everything else from one of the brokers. What it wrote for one broker (-b) has that broker's own
// numbers, in the form of the broker's files: package store reads it.
package mqadmin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/brokerjson"
	"rocketshift/internal/rocketmq/remoting"
)

// Reader reads files of one cluster: metadata.json, topic.json, subscriptionGroup.json and
// configs.json.
type Reader struct {
	Files []string
	// Brokers are the names of the masters over which exportMetadata added up. Without them
	// configs.json tells them; else the sums stay sums.
	Brokers []string
}

// Summed reports whether a document is one of those.
func Summed(o remoting.Object) bool {
	return brokerjson.Has(o, "exportTime") || brokerjson.Has(o, "brokerConfigs")
}

// Read reads the files.
func (r Reader) Read(context.Context) (metadata.Cluster, metadata.Gaps, error) {
	var gaps metadata.Gaps
	c := metadata.New(metadata.Origin{})
	for _, file := range r.Files {
		o, err := brokerjson.ReadFile(file)
		if err != nil {
			return c, nil, err
		}
		part, err := r.one(o, &gaps)
		if err != nil {
			return c, nil, &metadata.Problem{In: file, Why: err.Error()}
		}
		var told metadata.Gaps
		c, told = metadata.Join(c, part)
		gaps.Join(told)
	}
	c.Origin.Door = "mqadmin"
	for _, name := range r.Brokers {
		if !slices.ContainsFunc(c.Brokers, func(b metadata.Broker) bool { return b.Name == name }) {
			c.Brokers = append(c.Brokers, metadata.Broker{Name: name})
		}
	}
	brokers := r.Brokers
	if len(brokers) == 0 {
		for _, b := range c.Brokers {
			brokers = append(brokers, b.Name)
		}
	}
	share(&c, brokers, &gaps)
	brokerjson.System{}.Strip(&c) // mqadmin has left the others out
	c.Sort()
	gaps.Add("permission, flags and attributes of topics, settings of groups",
		"exportMetadata tells those of one broker, whichever it asked last; what others have isn't in the file")
	gaps.Add("subscriptions, order configuration and other KV", "exportMetadata doesn't tell them; a live cluster does")
	if err := c.Check(); err != nil {
		return c, gaps, &metadata.Problem{In: strings.Join(r.Files, ", "), Why: err.Error()}
	}
	return c, gaps, nil
}

func (r Reader) one(o remoting.Object, gaps *metadata.Gaps) (metadata.Cluster, error) {
	if err := brokerjson.Known(o); err != nil {
		return metadata.Cluster{}, err
	}
	if !Summed(o) {
		return metadata.Cluster{}, errors.New("it isn't of a whole cluster, as exportMetadata -c writes it")
	}
	c, err := brokerjson.Tables(o, "", gaps)
	if err != nil {
		return c, err
	}
	configs := o.Object("brokerConfigs")
	for _, entry := range configs {
		settings, _ := entry.Value.(remoting.Object)
		c.Brokers = append(c.Brokers, metadata.Broker{
			Name: remoting.TextOf(entry.Key), Cluster: settings.Text("brokerClusterName"),
		})
	}
	return c, nil
}

// share divides sums by the number of brokers, or says that nobody knows how.
func share(c *metadata.Cluster, brokers []string, gaps *metadata.Gaps) {
	if len(brokers) == 0 {
		for _, t := range c.Topics {
			gaps.Add(
				"queues of topics",
				"exportMetadata adds up those of all brokers: name the brokers, give configs.json "+
					"too, or export each broker alone (-b)",
				t.Name,
			)
		}
		for i, g := range c.Groups {
			if c.Groups[i].Retry.Queues != nil {
				gaps.Add("queues of retry topics", "exportMetadata adds up those of all brokers", g.Name)
			}
			c.Groups[i].Retry.Queues = nil
		}
		return
	}
	n := len(brokers)
	for i := range c.Topics {
		shareTopic(&c.Topics[i], brokers, gaps)
	}
	for i := range c.Groups {
		sum := c.Groups[i].Retry.Queues
		switch {
		case sum == nil || n == 1:
		case *sum%n != 0:
			gaps.Add("queues of retry topics", uneven(n), c.Groups[i].Name)
			c.Groups[i].Retry.Queues = nil
		default:
			each := *sum / n
			c.Groups[i].Retry.Queues = &each
		}
	}
	if n > 1 && len(c.Topics) > 0 {
		gaps.Add(
			"queues of topics",
			fmt.Sprintf("exportMetadata adds up those of all brokers; an equal share for each of the "+
				"%d is assumed, which -b exports of each would prove", n),
		)
	}
}

func uneven(n int) string {
	return fmt.Sprintf(
		"the sum over brokers can't be divided by %d: not each of them has the same; export each broker "+
			"alone (-b)",
		n,
	)
}

func shareTopic(t *metadata.Topic, brokers []string, gaps *metadata.Gaps) {
	n := len(brokers)
	if t.Sum == nil {
		return
	}
	if t.Sum.Read%n != 0 || t.Sum.Write%n != 0 {
		gaps.Add("queues of topics", uneven(n), t.Name)
		return
	}
	for _, name := range brokers {
		t.Queues = append(t.Queues, metadata.Queues{
			Broker: name, Read: t.Sum.Read / n, Write: t.Sum.Write / n, Perm: t.Sum.Perm,
		})
	}
	t.Sum = nil
}
