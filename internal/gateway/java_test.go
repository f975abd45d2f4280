package gateway

import (
	"fmt"
	"strings"
	"time"

	"rocketshift/internal/lab/javaclient"
)

// javaProduce starts a Java producer. Its load ends when the program has ended.
func (r *rig) javaProduce(topic, version, kind string, keys int, pause time.Duration, jvm ...string) *load {
	r.Helper()
	return r.javaProduceAs(topic, version, kind, strings.ReplaceAll(kind+"-"+version, ".", "-"), keys, pause, jvm...)
}

// javaProduceAs starts one of that name, with which its keys begin.
func (r *rig) javaProduceAs(topic, version, kind, name string, keys int, pause time.Duration, jvm ...string) *load {
	r.Helper()
	l := r.newLoad(topic, name)
	p := javaclient.Producer{
		Version: version, JVM: jvm, NameServer: r.entrance, Topic: topic, Group: r.nameOf("producers-" + name),
		Instance: name, Kind: kind, Prefix: name + "-", Keys: keys, Pause: pause, Acked: l.ack,
		Failed: l.failedIn,
	}.Start(r)
	l.done.Go(func() {
		<-l.stop
		p.Stop(r)
	})
	r.Cleanup(l.end)
	return l
}

// failedIn takes note of an attempt of a Java producer that failed. It has waited for longer than
// it would for any machine: that it got no answer is unexpected.
func (l *load) failedIn(key string, n int, why string) {
	l.fail(attempt{message: message{key, n}}, why)
}

// javaJoin starts a Java member of the group.
func (rs *readers) javaJoin(c javaclient.Consumer) *javaclient.Client {
	rs.Helper()
	if c.Group = rs.group; c.NameServer == "" {
		c.NameServer = rs.entrance
	}
	name := c.Instance
	life := newLife(name)
	c.Got = func(d javaclient.Delivery) {
		rs.note(message{d.Key, d.Number}, delivery{
			member: name, life: life, attempt: d.Attempt, stored: d.Stored, queue: fmt.Sprint(d.Queue),
			offset: d.Offset, own: d.Own, at: time.Now(),
		})
	}
	return c.Start(rs)
}

// javaConsume starts so many members of a group.
func (r *rig) javaConsume(group string, members int, c javaclient.Consumer) *readers {
	r.Helper()
	rs := r.newReaders(group, members)
	for i := range members {
		c.Instance = fmt.Sprint(group, "-", i)
		rs.javaJoin(c)
	}
	return rs
}
