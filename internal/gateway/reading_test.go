package gateway

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker may read a lock of the lanes' group where none is read here.
func TestLocksThatBrokersMayReadOtherwiseAreRefused(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.queue(routing.Source)
	g.gateway.sides.Migration.Store(&replicas.Migration{Migration: control.Migration{LaneGroup: "billing"}})
	for _, body := range []string{
		`{'consumerGroup':'billing','clientId':'c','mqSet':[]}`,
		`{"consumerGroup":"x","ConsumerGroup":"billing","clientId":"c","mqSet":[]}`,
		`{"consumerGroup":"x","consumer_group":"billing","clientId":"c","mqSet":[]}`,
		`{"con` + "\u017f" + `umerGroup":"x","clientId":"c","mqSet":[]}`,
		`{"consumerGroup":"billing","clientId":"c","mqSet":[],}`,
		`{"clientId":"c","mqSet":[]}`,
		``,
	} {
		for _, code := range []int{remoting.CodeLock, remoting.CodeUnlock} {
			g.request(code, 0, unsignedBy, nil, body)
			is, remark := g.answer()
			assert.Equal(t, remoting.SystemError, is, body)
			assert.Contains(t, remark, "aren't understood", body)
			g.nothing(body)
		}
	}
}

// A name is the same one whether its letters are escaped or not.
func TestAGroupHasOneViewHoweverItsNameIsWritten(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.queue(routing.Source)
	view := func(group string) *routing.View {
		fields := `{"consumerGroup":"` + group + `","topic":"orders","queueId":"0"}`
		header := `{"code":11,"extFields":` + fields + `,"flag":0,"opaque":1}`
		raw := append([]byte{0, 0, 0, byte(4 + len(header)), 0, 0, 0, byte(len(header))}, header...)
		var f wire.Frame
		require.NoError(t, f.Parse(raw))
		v, wants := g.session.viewOf(&f)
		if wants != nil {
			v = g.gateway.table.Groups.Asked([]byte(wants.Group), wants.Queue)
		}
		return v
	}
	for name, escaped := range map[string]string{
		"é<g":        `\u00e9\u003cg`,
		"\U0001F600": `\uD83D\ude00`, "\x7f": `\u007F`,
	} {
		require.NotNil(t, view(name))
		assert.Same(t, view(name), view(escaped), name)
	}
	assert.NotSame(t, view("a"), view("b"))
}

// What a client may read otherwise in an answer doesn't reach it.
func TestAnAnswerWithAnOddNumberEndsItsConnection(t *testing.T) {
	for _, odd := range []string{"+5", "\u0665", "0x5", "9223372036854775808"} {
		g := newGuarded(t, "applications: []")
		g.gateway.clients.keys.File = ""
		g.queue(routing.Source)
		g.source.answer(remoting.CodePull, wire.Reply{Code: remoting.PullNotFound, Fields: []string{
			"nextBeginOffset",
			odd,
		}})
		require.NoError(t, g.client.SetReadDeadline(time.Now().Add(patience)))
		g.request(remoting.CodePull, 0, unsignedBy, requests()[remoting.CodePull].fields, "")
		var f wire.Frame
		err := g.in.Next(&f)
		require.Error(t, err, "a client of the source sees its connection end")
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	}
}

func TestRoutesInOddJSONAreNotPassedOn(t *testing.T) {
	for _, body := range bodiesOf(t, "odd-routes") {
		out, unknown := bodies.TranslateRoute([]byte(body), routePorts)
		if unknown == "" {
			assert.NotContains(t, string(out), "10.0.0.", body)
		}
	}
	_, unknown := bodies.TranslateRoute([]byte(strings.Repeat(`{"a":`, bodies.MostDepth+1)), nil)
	assert.Equal(t, bodies.NoRoute, unknown)
}
