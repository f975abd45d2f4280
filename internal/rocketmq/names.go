package rocketmq

import "regexp"

// LongestTopic and LongestGroup are how many bytes names may have on 5.x brokers (TopicValidator);
// the name of a group's retry topic must fit as well.
const (
	LongestTopic = 127
	LongestGroup = 120
)

var nameForm = regexp.MustCompile(`^[%|a-zA-Z0-9_-]+$`)

// TakesTopic reports whether 5.x brokers take the name of a topic. Brokers before 4.6 also took
// others, such as names with dots.
func TakesTopic(name string) bool { return len(name) <= LongestTopic && nameForm.MatchString(name) }

// TakesGroup is TakesTopic for consumer groups.
func TakesGroup(name string) bool { return len(name) <= LongestGroup && nameForm.MatchString(name) }

// NewGroup has the settings that brokers give a group which they create by themselves.
func NewGroup(name string) Group {
	return Group{
		Name: name, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true,
		RetryQueues: 1, RetryMaxTimes: 16, WhichBrokerWhenSlow: 1, NotifyChanged: true,
	}
}
