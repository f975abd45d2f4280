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
	l := r.newLoad(topic)
	p := javaclient.Producer{
		Version: version, JVM: jvm, NameServer: r.entrance, Topic: topic, Group: "java-producers-" + name, Instance: name, Kind: kind, Prefix: name + "-", Keys: keys, Pause: pause,
		Acked: l.ack, Failed: func(key string, n int, why string) { l.fail(key, n, why) },
	}.Start(r)
	l.done.Go(func() {
		<-l.stop
		p.Stop(r)
	})
	r.Cleanup(func() {
		l.end()
		if r.Failed() {
			r.Logf("%s sent %d; errors: %.1000v", name, l.sent.Load(), l.errors)
		}
	})
	return l
}

// javaJoin starts a Java member of the group.
func (rs *readers) javaJoin(c javaclient.Consumer) *javaclient.Client {
	rs.Helper()
	if c.Group = rs.group; c.NameServer == "" {
		c.NameServer = rs.entrance
	}
	name := c.Instance
	c.Got = func(d javaclient.Delivery) {
		rs.note(d.Key, d.Number, delivery{member: name, queue: fmt.Sprint(d.Queue), offset: d.Offset, at: time.Now()})
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
