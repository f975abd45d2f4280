package brokerjson

import (
	"errors"

	"rocketshift/internal/files"
	"rocketshift/internal/metadata"
	"rocketshift/internal/rocketmq/remoting"
)

// MostBytes bounds a file. consumerOffset.json of 10,000 groups with 100 queues each takes 15 MB.
const MostBytes = 32 << 20

// ReadFile parses a file of a broker, a name server or mqadmin.
func ReadFile(path string) (remoting.Object, error) {
	text, err := files.ReadText(path, MostBytes)
	if err == nil {
		var o remoting.Object
		if o, err = Document(text); err == nil {
			return o, nil
		}
	}
	return nil, &metadata.Problem{In: path, Why: err.Error()}
}

// Tables reads all tables that a document has into one model. Without a broker's name the numbers of
// queues are sums over brokers.
func Tables(of remoting.Object, broker string, gaps *metadata.Gaps) (metadata.Cluster, error) {
	c := metadata.New(metadata.Origin{})
	var errs [3]error
	var subscriptions []metadata.Subscription
	c.Topics, errs[0] = Topics(of, broker, gaps)
	c.Groups, subscriptions, errs[1] = Groups(of, broker, gaps)
	c.Subscriptions, errs[2] = Positions(of)
	c.Subscriptions = append(subscriptions, c.Subscriptions...)
	for _, err := range errs {
		if err != nil {
			return c, err
		}
	}
	c, told := metadata.Join(c) // the same subscription may be in settings and positions
	gaps.Join(told)
	return c, nil
}

// KV reads the configTable of a name server's kvConfig.json.
func KV(of remoting.Object) (order []metadata.Order, kv []metadata.KV, err error) {
	var failed failure
	table := tableOf(of, "configTable", &failed)
	for _, namespace := range table.names() {
		inner := table.inner(namespace)
		for _, key := range inner.names() {
			value, is := inner.members[key].(string)
			if !is {
				failed.add(inner.key(key), "it is %s; want text", kindOf(inner.members[key]))
			}
			if namespace == metadata.OrderNamespace {
				order = append(order, metadata.Order{Topic: key, Queues: value})
			} else {
				kv = append(kv, metadata.KV{Namespace: namespace, Key: key, Value: value})
			}
		}
	}
	return order, kv, failed.err
}

var errNoTable = errors.New("it has none of topicConfigTable, subscriptionGroupTable, offsetTable: " +
	"want topics.json, subscriptionGroup.json or consumerOffset.json of a broker, or what mqadmin " +
	"exportMetadata wrote")

// Known fails for a document that has no table.
func Known(of remoting.Object) error {
	for _, name := range []string{
		"topicConfigTable", "subscriptionGroupTable", "offsetTable", "configTable", "brokerConfigs",
	} {
		if Has(of, name) {
			return nil
		}
	}
	return errNoTable
}
