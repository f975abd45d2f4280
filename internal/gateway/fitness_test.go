package gateway

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// A client with an access key that nobody knows holds up what it shares in, and nothing else; a
// person may accept it by its id.
func TestAnUnknownKeyHoldsUpWhatItsClientSharesInAlone(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.request(remoting.CodeHeartbeat, 0, stranger, nil, requests()[remoting.CodeHeartbeat].body)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is)
	homes := func(topic string) store.Round {
		return store.Round{
			Kind:   control.KindHome,
			To:     "target",
			Queues: []control.TopicQueue{{Topic: topic, Queue: lane.Queue{Broker: "broker-a"}}},
		}
	}
	fits := func(r store.Round) {
		t.Helper()
		inexact, err := g.gateway.allFit(r)
		require.NoError(t, err)
		require.Empty(t, inexact)
	}
	holds := func(r store.Round, says string) {
		t.Helper()
		_, err := g.gateway.allFit(r)
		require.ErrorIs(t, err, control.ErrRefused)
		require.ErrorContains(t, err, says)
		r.Accept = []string{"one"}
		inexact, err := g.gateway.allFit(r)
		require.NoError(t, err, "a person takes it")
		require.Len(t, inexact, 1)
		require.Contains(t, inexact[0], "one at pipe, which shares in")
		require.Contains(t, inexact[0], "is refused")
		r.To, r.Accept = "source", nil
		fits(r)
	}
	holds(store.Round{Kind: control.KindSide, To: "target", Group: "billing"},
		"which shares in billing, signs with access key stranger")
	fits(store.Round{Kind: control.KindSide, To: "target", Group: "audit"})
	fits(homes("orders")) // which it only reads
	fits(store.Round{Kind: control.KindAuthority, To: "target"})
	g.gateway.table.Groups.Get([]byte("billing")).
		Of(g.gateway.table.Topics.Get([]byte("orders")).All()[1]).
		Set(routing.ViewState{Side: routing.Target})
	holds(store.Round{Kind: control.KindAuthority, To: "target"}, "which shares in billing")

	g.request(remoting.CodeSendV2, 0, stranger, requests()[remoting.CodeSendV2].fields, "body")
	is, _ = g.answer()
	require.Equal(t, remoting.Success, is)
	holds(homes("orders"), "which shares in orders")
	fits(homes("other"))
	g.gateway.sides.Limits.Store(&map[string]replicas.Limits{"broker-t": {}})
	_, err := g.gateway.rounds.Prepare(t.Context(), store.Round{
		ID:     "r",
		Kind:   control.KindHome,
		To:     "target",
		Budget: control.Duration(time.Second),
		Queues: homes("orders").Queues,
	})
	require.ErrorContains(t, err, "which shares in orders", "nor when another gateway leads")

	clients := g.gateway.State().Clients
	require.Len(t, clients, 1)
	assert.Equal(t, []string{"billing"}, clients[0].Groups)
	assert.Equal(t, []string{"orders"}, clients[0].Topics)
}

func TestAClientThatWritesToMoreTopicsThanAreKeptSharesInAll(t *testing.T) {
	var w wroteTo
	for i := range mostWritten + 1 {
		topic := fmt.Sprint("topic-", i)
		w.note(&topic)
		w.note(&topic)
	}
	assert.Len(t, w.all, mostWritten)
	assert.True(t, w.more)
	u := unfit{wrote: []*wroteTo{{}, &w}}
	assert.Equal(
		t,
		"any",
		u.shares(
			store.Round{Kind: control.KindHome, Queues: []control.TopicQueue{{Topic: "any", Queue: lane.Queue{}}}},
			nil,
		),
	)
	assert.Empty(t, u.shares(store.Round{Kind: control.KindSide, Group: "billing"}, nil))
}

// Everybody with a key may say that it is any client. What another client of that id shares in
// moves all the same, and a person accepts one by its key, as it may come back with other ids.
func TestNobodyHoldsUpWhatAnotherClientOfItsIdSharesIn(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, requests()[remoting.CodeHeartbeat].body)
	g.answer()
	send := requests()[remoting.CodeSendV2]
	g.request(remoting.CodeSendV2, 0, rightly, send.fields, send.body)
	g.answer()
	_, g.client = g.gateway.connect(t)
	g.in = wire.NewReader(g.client)
	const beat = `{"clientID":"one","consumerDataSet":[],"producerDataSet":[{"groupName":"x"}]}`
	g.request(remoting.CodeHeartbeat, 0, stranger, nil, beat)
	g.answer()
	g.source.answer(remoting.CodeSendV2, wire.Reply{Code: remoting.SystemError, Remark: "No acl config for stranger"})
	g.request(remoting.CodeSendV2, 0, stranger, send.fields, send.body)
	is, _ := g.answer()
	require.Equal(t, remoting.SystemError, is)
	side := store.Round{Kind: control.KindSide, To: "target", Group: "billing"}
	home := store.Round{
		Kind:   control.KindHome,
		To:     "target",
		Queues: []control.TopicQueue{{Topic: "orders", Queue: lane.Queue{Broker: "broker-a"}}},
	}
	for _, r := range []store.Round{side, home} {
		_, err := g.gateway.allFit(r)
		require.NoError(t, err, r.Kind)
	}
	says := func(c control.Connected) string { return fmt.Sprint(c.AccessKey, c.Problem != "", c.Groups, c.Topics) }
	all := control.Sum([]control.State{g.gateway.State(), g.gateway.State()}).Clients
	require.Len(t, all, 2)
	assert.Equal(t, "appfalse [] []", says(all[0]), "one that has no problem")
	assert.Equal(t, "strangertrue [] []", says(all[1]))

	g.source.answer(remoting.CodeSendV2, wire.Reply{})
	g.request(remoting.CodeSendV2, 0, stranger, send.fields, send.body)
	g.answer()
	_, err := g.gateway.allFit(home)
	require.ErrorContains(t, err, "signs with access key stranger", "it shares in what a broker takes of it")
	for _, accept := range []string{"one", "accessKey:stranger"} {
		home.Accept = []string{accept}
		inexact, err := g.gateway.allFit(home)
		require.NoError(t, err)
		require.Len(t, inexact, 1)
	}
}

// twoSides is a gateway of which no name server answers, with a broker of each side that lists
// members as it is told.
type twoSides struct {
	*testing.T
	*Gateway
	brokers [2]*standIn
}

func newTwoSides(t *testing.T) *twoSides {
	t.Helper()
	all := func(int) bool { return true }
	two := &twoSides{T: t, brokers: [2]*standIn{newStandIn(t, all), newStandIn(t, all)}}
	g := before(t, two.brokers[routing.Source])
	two.Gateway = g
	there := rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), []string{"127.0.0.1:1"})
	t.Cleanup(there.Client().Close)
	g.sides.Migration.Store(
		&replicas.Migration{
			Migration:     control.Migration{Name: "m", LaneGroup: "l", Source: "S", Target: "T"},
			TargetCluster: there,
		},
	)
	g.sides.Targets.Store(&[]string{"broker-t"})
	g.sides.Brokers[routing.Target].Store(
		&map[string][]string{"broker-t": {two.brokers[routing.Target].Addr().String()}},
	)
	g.sides.Source.Assume(map[string]string{"broker-a": two.brokers[routing.Source].Addr().String()})
	there.Assume(map[string]string{"broker-t": two.brokers[routing.Target].Addr().String()})
	for on, b := range two.brokers {
		b.answer(remoting.CodeHeartbeat, wire.Reply{})
		b.answer(remoting.CodeMaxOffset, wire.Reply{Code: remoting.SystemError})
		b.answer(codeRuntime, wire.Reply{Code: remoting.SystemError})
		b.answer(codeConsumeStats, wire.Reply{Body: []byte(`{"offsetTable":{}}`)})
		two.lists(routing.Side(on))
	}
	return two
}

// Requests of the gateway's own, which clients don't make through it.
const (
	codeMembersOf    = 203
	codeConsumeStats = 208
)

// lists has a side's broker list members of any group.
func (two *twoSides) lists(on routing.Side, members ...string) {
	body := ""
	for i, id := range members {
		if i > 0 {
			body += ","
		}
		body += fmt.Sprintf(`{"clientId":%q,"clientAddr":"10.0.0.9:4711","language":"JAVA","version":407}`, id)
	}
	two.brokers[on].answer(codeMembersOf,
		wire.Reply{Body: []byte(`{"connectionSet":[` + body + `],"messageModel":"CLUSTERING"}`)})
}

// Members that read the target past the gateway hold up a group's way back, until a person takes
// what follows by name.
func TestTheWayBackIsOpenForWhoTakesWhatFollows(t *testing.T) {
	two := newTwoSides(t)
	two.lists(routing.Target, "past")
	back := control.Move{Kind: control.KindSide, To: "source", Groups: []string{"billing"}, ID: "back"}
	_, err := two.Move(t.Context(), back)
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "past at 10.0.0.9:4711")
	require.ErrorContains(t, err, "or accept the group or these members")
	requireBypassing(t, err, control.Bypassing{Groups: []string{"billing"}})
	for _, name := range []string{"billing", "past"} {
		back.ID, back.Accept = "back-"+name, []string{name}
		was, err := two.Move(t.Context(), back)
		require.NoError(t, err)
		require.True(t, was.Done, was.Reason)
		require.Len(t, was.Inexact, 1)
		require.Contains(t, was.Inexact[0], "past at 10.0.0.9:4711 goes on reading the target")
		again, err := two.Move(t.Context(), back)
		require.NoError(t, err)
		require.Equal(t, was, again, "asked again")
		require.Contains(t, fmt.Sprint(kept(t, two.Gateway).Moves), "goes on reading the target", "and after a restart")
	}

	two.checks.Bypassing.Life = time.Minute
	two.checks.Bypassing.Note(
		checks.BypassingProducer{Topic: "orders", On: routing.Target, From: netip.MustParseAddrPort("10.0.0.7:1")},
	)
	orders := two.table.Topics.Get([]byte("orders")).All()
	_, err = two.checks.NobodyBypasses(t.Context(), control.Move{}, orders)
	require.ErrorContains(t, err, "or accept the topic")
	requireBypassing(t, err, control.Bypassing{Topics: []string{"orders"}})
	inexact, err := two.checks.NobodyBypasses(t.Context(), control.Move{Accept: []string{"orders"}}, orders)
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(inexact),
		"topic orders of the target from 10.0.0.7:1 (1 messages seen): what it writes there comes to the "+
			"other side by the lane")
}
