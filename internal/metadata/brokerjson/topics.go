package brokerjson

import (
	"maps"
	"slices"

	"rocketshift/internal/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Topics reads the topicConfigTable of a document. Without a broker's name the numbers of queues are
// sums over brokers. All topics are read, RocketMQ's own among them: System.Strip takes these away.
func Topics(of remoting.Object, broker string, gaps *metadata.Gaps) ([]metadata.Topic, error) {
	var failed failure
	table := tableOf(of, "topicConfigTable", &failed)
	var all []metadata.Topic
	for _, name := range table.names() {
		all = append(all, topic(name, table.inner(name), broker, gaps))
		if failed.err != nil {
			break
		}
	}
	return all, failed.err
}

// tableOf opens a table, whose size is bounded.
func tableOf(of remoting.Object, name string, failed *failure) object {
	table := open(name, member(of, name), failed)
	if n := len(table.members); n > metadata.MostOfAList {
		failed.add(name, "%d entries; at most %d are read", n, metadata.MostOfAList)
	}
	return table
}

// member is what an object has by that name; nil if nothing.
func member(of remoting.Object, name string) any {
	for _, m := range of {
		if remoting.TextOf(m.Key) == name {
			return m.Value
		}
	}
	return nil
}

// Has reports whether a document has a key.
func Has(of remoting.Object, name string) bool { return member(of, name) != nil }

func topic(name string, o object, broker string, gaps *metadata.Gaps) metadata.Topic {
	// A sum over brokers may be larger than what one broker has.
	const most = 256 * metadata.MostQueues
	t := metadata.Topic{
		Name: name, Order: o.flag("order"), Filter: o.text("topicFilterType"),
		SysFlag: o.small("topicSysFlag", 0, most), Attributes: o.texts("attributes"),
	}
	read, write, perm := o.small("readQueueNums", 0, most), o.small("writeQueueNums", 0, most), o.small("perm", 0, 15)
	if said := o.text("topicName"); said != "" && said != name {
		o.failed.add(o.key("topicName"), "it is %q; want the name of its key", said)
	}
	if read == nil || write == nil || perm == nil {
		o.failed.add(o.at, "readQueueNums, writeQueueNums or perm is missing")
		return t
	}
	q := metadata.Queues{Broker: broker, Read: *read, Write: *write, Perm: *perm}
	if broker == "" {
		t.Sum = &q
	} else {
		t.Queues = []metadata.Queues{q}
	}
	takeType(&t, gaps)
	for _, key := range o.unread() {
		gaps.Add("setting "+key+" of topics", "this release doesn't know it", name)
	}
	return t
}

// takeType takes the message type out of the attributes.
func takeType(t *metadata.Topic, gaps *metadata.Gaps) {
	kind := metadata.MessageType(t.Attributes[rocketmq.TypeAttribute])
	switch {
	case kind == "":
		return
	case !slices.Contains(metadata.MessageTypes(), kind):
		gaps.Add("message type "+string(kind), "this release doesn't know it; it stays an attribute", t.Name)
		return
	}
	t.Type = kind
	t.Attributes = maps.Clone(t.Attributes)
	if delete(t.Attributes, rocketmq.TypeAttribute); len(t.Attributes) == 0 {
		t.Attributes = nil
	}
}
