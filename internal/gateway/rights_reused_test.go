package gateway

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// harmless are requests that are answered and change nothing, of which one is allowed to most
// accounts at each broker.
var harmless = []string{
	"members", "max offset", "query position", "view of the source", "view of the target",
	"consumer connections",
}

// companion is a request that is allowed to the account, and goes to the same broker as another.
func (at stage) companion(q asked, allowed []asked) (of asked, there bool) {
	for _, name := range harmless {
		i := slices.IndexFunc(allowed, func(a asked) bool {
			return a.name == name && a.names == q.names && at.serving(a) == at.serving(q)
		})
		if i >= 0 {
			return allowed[i], true
		}
	}
	return of, false
}

// together sends two requests with one number in one piece, and returns what becomes of them.
func (c *caller) together(may, q asked, p *place) (got []ruling, err error) {
	c.opaque++
	first, err := may.frame(p, c.opaque, routing.Source)
	if err != nil {
		return nil, err
	}
	second, err := q.frame(p, c.opaque, routing.Source)
	if err != nil {
		return nil, err
	}
	if _, err := c.to[q.names].Write(append(first, second...)); err != nil {
		return nil, err
	}
	for range 2 {
		if len(got) == 1 && q.oneWay {
			break
		}
		one, err := c.answer(q.names)
		if err != nil {
			return got, err
		}
		got = append(got, one)
	}
	return got, nil
}

// reused sends what must be refused with the number of a request that is allowed and is under way
// to the same broker. Each must have its own answer.
func (m *matrix) reused(c *caller, p *place, q, may asked, at stage) {
	m.Helper()
	want := m.wants(p, q, at)
	what := fmt.Sprintf("account %s, %s, %s with the number of %s", p.name, at.name, q.name, may.name)
	if q.halves {
		m.prepare(p, q, at.serving(q))
	}
	got, err := c.together(may, q, p)
	if err != nil {
		m.Errorf("%s: seen: %v; wanted: %s", what, err, want)
		return
	}
	allowed := slices.IndexFunc(got, func(r ruling) bool { return !r.refused })
	refused := slices.IndexFunc(got, func(r ruling) bool { return r.refused && want.is(r) })
	if allowed < 0 || refused < 0 && !q.oneWay {
		m.Errorf("%s: seen: %v; wanted: one allowed, one %s", what, got, want)
	}
	m.cells.reused.Add(1)
}

// noted is what the gateway has learned of the account's queues from answers.
func (m *matrix) noted(p *place) (text string) {
	for _, q := range m.gateway.table.Topics.Get([]byte(p.topic)).All() {
		text += fmt.Sprintf("queue %d is acknowledged to %d and %d; ",
			q.ID, q.Acked(routing.Source), q.Acked(routing.Target))
	}
	goesOn := map[int]int64{}
	for _, v := range m.gateway.table.Groups.Get([]byte(p.group)).All() {
		if at := v.MayAskFor(true); v.Queue.Topic == p.topic && at >= 0 {
			text += fmt.Sprintf("members have asked for %d of queue %d; ", at, v.Queue.ID)
		}
		if next := v.Progress().Next; v.Queue.Topic == p.topic && next >= 0 {
			goesOn[v.Queue.ID] = next
		}
	}
	text += fmt.Sprint("the group goes on with, by queue: ", goesOn, "; ")
	for _, lost := range m.gateway.lost() {
		if strings.Contains(lost, p.topic) || strings.Contains(lost, rocketmq.RetryTopic(p.group)) {
			text += "a send to " + lost + " is lost; "
		}
	}
	return text
}
