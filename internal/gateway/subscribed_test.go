package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// ofTopics is a heartbeat of a member of billing that subscribes to topics.
func ofTopics(topics string) string {
	return `{"clientID":"one","consumerDataSet":[{"groupName":"billing","messageModel":"CLUSTERING",` +
		`"subscriptionDataSet":[` + topics + `]}]}`
}

const ofOrders = `{"topic":"orders"}`

// farOff is an offset that no queue reaches, and that makes every other one of its group negative
// on the source, if it is believed.
const farOff = 1 << 62

func pullFrom(offset int64) []string {
	return []string{
		"consumerGroup", "billing", "topic", "orders", "queueId", "0", "queueOffset",
		fmt.Sprint(offset), "commitOffset", "0", "sysFlag", "2",
	}
}

// silentAbout has a broker answer requests of a code no more.
func (b *standIn) silentAbout(code int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.answers, code)
}

// pulledFrom is the queue's end as a broker tells it in an answer to a pull.
func pulledFrom(next, end int64) wire.Reply {
	return wire.Reply{Code: remoting.PullNotFound, Fields: []string{
		"nextBeginOffset", fmt.Sprint(next), "minOffset", "0", "maxOffset", fmt.Sprint(end),
	}}
}

// What a pull asks for that no broker answers counts from a member that a broker has taken: of its
// group, of its topic, under its access key.
func TestAnUnansweredPullCountsFromMembersOnly(t *testing.T) {
	for name, c := range map[string]struct {
		beat   string
		by     signing
		counts bool
	}{
		"no heartbeat":          {"", rightly, false},
		"of no topic":           {ofTopics(""), rightly, false},
		"of another topic":      {ofTopics(`{"topic":"stock"}`), rightly, false},
		"of the topic":          {ofTopics(ofOrders), rightly, true},
		"with another's key":    {ofTopics(ofOrders), other, false},
		"with an unknown key":   {ofTopics(ofOrders), stranger, false},
		"refused by the source": {ofTopics(ofOrders) + " ", rightly, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, twoKeys)
			v := g.queue(routing.Target)
			g.target.silentAbout(remoting.CodePull)
			if name == "refused by the source" {
				g.source.answer(remoting.CodeHeartbeat, wire.Reply{Code: remoting.SystemError})
			}
			if c.beat != "" {
				g.request(remoting.CodeHeartbeat, 0, rightly, nil, c.beat)
				g.answer()
			}
			g.request(remoting.CodePull, 0, c.by, pullFrom(farOff), "")
			if c.by == stranger { // it is refused here; no broker answers the others
				g.answer()
			}
			g.request(remoting.CodeQueryOffset, 0, rightly, requests()[remoting.CodeQueryOffset].fields,
				"") // comes after it
			g.answer()
			want := int64(-1)
			if c.counts {
				want = farOff
			}
			assert.Equal(t, want, v.MayAskFor(false))
			assert.Equal(t, want, v.MayAskFor(true))
		})
	}
}

// A broker refuses a stranger's pull at once, while it holds a member's at the same offset. Before,
// that refusal was taken for the answer to the member's.
func TestAnAnswerToAStrangerSaysNothingOfAMembersPull(t *testing.T) {
	g := newGuarded(t, twoKeys)
	v := g.queue(routing.Target)
	_, _, is := v.Pull(nil, nil, 10, true)
	require.Equal(t, routing.PullGoes, is)
	refusal := &wire.Frame{Code: remoting.NoPermission}
	there := func() bool { return true }
	v.Answer(refusal, routing.Pulling{Offset: 10}, there)
	assert.EqualValues(t, 10, v.MayAskFor(false))
	v.Answer(refusal, routing.Pulling{Offset: 10, Member: true}, there)
	assert.EqualValues(t, -1, v.MayAskFor(false))
}

var other = signing{"other", "others-secret", ""}

const twoKeys = `{applications: [
	{accessKey: app, secretKey: app-secret}, {accessKey: other, secretKey: others-secret}]}`

// Nobody is where a broker refuses to read, or behind the end of what it has: a group that returns
// without the target would read the queue again from its beginning.
func TestAnAnswerJudgesWhatAPullAsksFor(t *testing.T) {
	moved := pulledFrom(520, 520)
	moved.Code = remoting.PullOffsetMoved
	for name, c := range map[string]struct {
		offset int64
		says   wire.Reply
		want   int64 // that members of a broadcasting group may ask for
	}{
		"it is refused":          {farOff, wire.Reply{Code: remoting.NoPermission}, -1},
		"it is beyond the end":   {farOff, moved, 520},
		"it is at the end":       {520, pulledFrom(520, 520), 520},
		"the end isn't told":     {farOff, wire.Reply{Code: remoting.PullNotFound}, -1},
		"more than the end says": {farOff, pulledFrom(500, 520), 500},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, twoKeys)
			v := g.queue(routing.Target)
			g.request(remoting.CodeHeartbeat, 0, rightly, nil, ofTopics(ofOrders))
			g.answer()
			g.target.answer(remoting.CodePull, c.says)
			g.request(remoting.CodePull, 0, rightly, pullFrom(c.offset), "")
			g.answer()
			assert.Equal(t, c.want, v.MayAskFor(false))
			assert.Equal(t, c.want, v.MayAskFor(true))
		})
	}
}

// Who may not read must not make the gateway forget what it tells others: only the newest pull says
// where a group is.
func TestAPullOfAStrangerHidesNoAnswer(t *testing.T) {
	g := newGuarded(t, twoKeys)
	v := g.queue(routing.Target)
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, ofTopics(ofOrders))
	g.answer()
	require.Equal(t, remoting.CodeHeartbeat, g.source.next(t).code)
	for g.target.next(t).code != remoting.CodeHeartbeat {
	}
	g.target.silentAbout(remoting.CodePull)
	g.request(remoting.CodePull, 0, rightly, pullFrom(500), "")
	pull := g.target.next(t)
	require.Equal(t, remoting.CodePull, pull.code)
	mine := g.opaque

	_, theirs := g.gateway.connect(t)
	client, in := g.client, g.in
	g.client, g.in = theirs, wire.NewReader(theirs)
	g.request(remoting.CodePull, 0, other, pullFrom(farOff), "")
	require.Equal(t, remoting.CodePull, g.target.next(t).code, "it is open at the broker")

	_, err := pull.conn.Write(wire.AppendReply(nil, pull.opaque, false, pulledFrom(530, 540)))
	require.NoError(t, err)
	g.client, g.in, g.opaque = client, in, mine
	is, _ := g.answer()
	require.Equal(t, remoting.PullNotFound, is)
	at := v.Progress()
	assert.EqualValues(t, 530, at.Next)
	assert.WithinDuration(t, time.Now(), at.NextAt, patience)
}
