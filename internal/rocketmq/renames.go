package rocketmq

import (
	"slices"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// Renames are the names that a cluster has for topics and groups which the caller knows by others,
// such as those of another cluster that is moved into it. A Client that has them speaks the
// cluster's names, and takes and gives the caller's: what the caller has no name for is not to be
// seen. Retry and dead-letter topics go by their group; RocketMQ's own names stay. The zero value
// renames nothing.
type Renames struct {
	Prefix string            // before every name that the maps don't have
	Topics map[string]string // the cluster's names by the caller's
	Groups map[string]string
	Keep   string // names that begin so stay as they are, if it isn't empty
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

// here finds the name that becomes the cluster's own. One that another name becomes, by the map,
// has none.
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

// Messages that are to be tried again say of which topic they are: consumers show it to the
// application.

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
