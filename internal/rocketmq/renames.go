package rocketmq

import (
	"slices"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// Renames are a cluster's names of topics and groups that the caller knows by other names, such as
// those of another cluster that is moved into it. A Client with Renames uses the cluster's names on
// the wire, and the caller's in its calls. The caller doesn't see what it has no name for. Retry
// and dead-letter topics follow their group; RocketMQ's own names don't change. The zero value
// renames nothing.
type Renames struct {
	Prefix string            // of every name that the maps don't have
	Topics map[string]string // the cluster's names by the caller's
	Groups map[string]string
	Keep   string // names with this beginning aren't changed, if it isn't empty
}

func (r Renames) none() bool { return r.Prefix == "" && len(r.Topics) == 0 && len(r.Groups) == 0 }

// Topic is the cluster's name of a topic.
func (r Renames) Topic(name string) string {
	if group, own := strings.CutPrefix(name, retryPrefix); own {
		return retryPrefix + r.Group(group)
	}
	if group, own := strings.CutPrefix(name, dlqPrefix); own {
		return dlqPrefix + r.Group(group)
	}
	if SystemTopic(name, "", nil) {
		return name
	}
	return r.there(r.Topics, name)
}

// Group is the cluster's name of a consumer group.
func (r Renames) Group(name string) string {
	if SystemGroup(name) {
		return name
	}
	return r.there(r.Groups, name)
}

func (r Renames) there(names map[string]string, name string) string {
	if r.Keep != "" && strings.HasPrefix(name, r.Keep) {
		return name
	}
	if renamed, found := names[name]; found {
		return renamed
	}
	return r.Prefix + name
}

// topicHere is the caller's name of the cluster's topic; false if it has none.
func (r Renames) topicHere(own string) (string, bool) {
	if r.none() {
		return own, true
	}
	for _, prefix := range []string{retryPrefix, dlqPrefix} {
		if group, ofGroup := strings.CutPrefix(own, prefix); ofGroup {
			name, known := r.groupHere(group)
			return prefix + name, known
		}
	}
	return r.here(own, r.Topics, r.Topic)
}

// groupHere is the caller's name of the cluster's group; false if it has none.
func (r Renames) groupHere(own string) (string, bool) {
	if r.none() {
		return own, true
	}
	return r.here(own, r.Groups, r.Group)
}

// here finds the caller's name for one of the cluster. It is false for a name that belongs to
// another one by the map.
func (r Renames) here(own string, names map[string]string, becomes func(string) string) (string, bool) {
	for name, renamed := range names {
		if renamed == own {
			return name, true
		}
	}
	for _, name := range slices.Compact([]string{own, strings.TrimPrefix(own, r.Prefix)}) {
		if becomes(name) == own {
			return name, true
		}
	}
	return "", false
}

// command puts the cluster's names into a request.
func (r Renames) command(cmd *remoting.Command) {
	if r.none() {
		return
	}
	for field, own := range map[string]func(string) string{"topic": r.Topic, "consumerGroup": r.Group, "groupName": r.Group} {
		if name, there := cmd.Fields[field]; there {
			cmd.Fields[field] = own(name)
		}
	}
	switch cmd.Code {
	case remoting.CodeSendV2, remoting.CodeSendBatch:
		cmd.Fields["b"] = r.Topic(cmd.Fields["b"])
	case remoting.CodeStats: // of a topic, or of a group on it
		topic, group, both := strings.Cut(cmd.Fields["statsKey"], "@")
		cmd.Fields["statsKey"] = r.Topic(topic)
		if both {
			cmd.Fields["statsKey"] += "@" + r.Group(group)
		}
	}
}

// queues puts the cluster's names into a request's queues.
func (r Renames) queues(all []MessageQueue) []MessageQueue {
	if r.none() {
		return all
	}
	own := slices.Clone(all)
	for i := range own {
		own[i].Topic = r.Topic(own[i].Topic)
	}
	return own
}

// queueHere is a queue in an answer, with the caller's name of its topic; false if it has none.
func (r Renames) queueHere(o remoting.Object) (TopicQueue, bool) {
	q := readQueue(o)
	var known bool
	q.Topic, known = r.topicHere(q.Topic)
	return q, known
}

// Messages that must be tried again name their topic, which consumers show to the application.

// retryThere are the properties of a retry that is sent.
func (r Renames) retryThere(properties []byte) []byte {
	return r.retried(properties, func(topic string) (string, bool) { return r.Topic(topic), true })
}

// retriesHere gives messages of a retry topic the caller's names.
func (r Renames) retriesHere(topic string, messages []remoting.Message) {
	if _, retry := RetryGroup(topic); !retry || r.none() {
		return
	}
	for i := range messages {
		messages[i].Properties = r.retried(messages[i].Properties, r.topicHere)
	}
}

func (r Renames) retried(properties []byte, rename func(string) (string, bool)) []byte {
	topic, there := remoting.PropertyValue(properties, remoting.PropRetryTopic)
	if !there || r.none() {
		return properties
	}
	renamed, known := rename(topic)
	if !known || renamed == topic {
		return properties
	}
	return remoting.AppendProperty(slices.Clip(remoting.WithoutProperty(properties, remoting.PropRetryTopic)),
		remoting.PropRetryTopic, renamed)
}
