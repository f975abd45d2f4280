package gateway

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/keys"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// guarded is a gateway that has the keys of one application, between a broker of each side and a
// client.
type guarded struct {
	*testing.T
	gateway        *Gateway
	source, target *standIn
	session        *session
	client         net.Conn
	in             *wire.Reader
	opaque         int32
}

const (
	appKey    = "app"
	appSecret = "app-secret"
)

func newGuarded(t *testing.T, keyFile string) *guarded {
	t.Helper()
	all := func(int) bool { return true }
	g := &guarded{T: t, source: newStandIn(t, all), target: newStandIn(t, all)}
	for _, b := range []*standIn{g.source, g.target} {
		for _, code := range []int{remoting.CodeSendV2, remoting.CodePull, remoting.CodeQueryOffset, remoting.CodeUpdateOffset, remoting.CodeHeartbeat, remoting.CodeUnregister, remoting.CodeLock, remoting.CodeViewMessage, remoting.CodeSendBack, remoting.CodeEndTransaction, remoting.CodeMembers} {
			b.answer(code, wire.Reply{})
		}
	}
	g.gateway = before(t, g.source)
	g.gateway.sides.Targets.Store(&[]string{"broker-t"})
	g.gateway.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-t": {g.target.Addr().String()}})
	keys, err := keys.Parse([]byte(keyFile))
	require.NoError(t, err)
	g.gateway.clients.keys.File = "keys.yaml"
	g.gateway.clients.keys.Current.Store(&keys)
	g.session, g.client = g.gateway.connect(t)
	g.in = wire.NewReader(g.client)
	return g
}

const appKeys = "applications: [{accessKey: app, secretKey: app-secret, target: {accessKey: app-there, " +
	"secretKey: secret-there}}]"

// queue is queue 0 of topic orders, with its home and the group billing's side as asked for.
func (g *guarded) queue(at routing.Side) *routing.View {
	q := g.gateway.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 0)
	q.SetLane(
		&lane.Lane{
			Topic:  "orders",
			Source: lane.Queue{Broker: "broker-a"},
			Target: lane.Queue{Broker: "broker-t", ID: 1},
		},
	)
	g.gateway.table.MoveHome(q, at, q.Shift())
	v := g.gateway.table.Groups.Get([]byte("billing")).Of(q)
	g.gateway.table.MoveView(v, routing.ViewState{Side: at})
	return v
}

// signing is how a request is signed.
type signing struct{ key, secret, signature string }

var (
	rightly    = signing{appKey, appSecret, ""}
	forged     = signing{appKey, "", "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQ="}
	unsignedBy = signing{}
	stranger   = signing{"stranger", "their-secret", ""}
)

// request sends a request.
func (g *guarded) request(code int, flag int32, by signing, fields []string, body string) {
	g.Helper()
	g.opaque++
	if by.signature != "" {
		fields = append(fields, wire.FieldAccessKey, by.key, "Signature", by.signature)
	}
	var f wire.Frame
	require.NoError(g, f.Parse(wire.AppendRequest(nil, code, g.opaque, flag, fields, []byte(body))))
	if by.secret != "" {
		f.Sign(by.key, by.secret)
	}
	_, err := g.client.Write(append(f.AppendHead(nil), f.Body...))
	require.NoError(g, err)
}

// answer is the code of the answer to the last request.
func (g *guarded) answer() (code int, remark string) {
	g.Helper()
	require.NoError(g, g.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(g, g.in.Next(&f))
	require.Equal(g, g.opaque, f.Opaque)
	return f.Code, string(f.Remark)
}

// requests are those of all codes that the gateway looks into, as members and producers send them.
func requests() map[int]struct {
	fields []string
	body   string
} {
	type request = struct {
		fields []string
		body   string
	}
	const beat = `{"clientID":"one","consumerDataSet":[{"groupName":"billing","messageModel":"CLUSTERING"}],"producerDataSet":[]}`
	queue := []string{"consumerGroup", "billing", "topic", "orders", "queueId", "0"}
	tagged := "72057594037927944" // offset 8 with the tag of the first target broker
	return map[int]request{
		remoting.CodeSendV2: {[]string{"a", "producers", "b", "orders", "e", "0", "i", ""}, "body"},
		remoting.CodePull: {
			append([]string{"queueOffset", "5", "commitOffset", "4", "sysFlag", "1"}, queue...),
			"",
		},
		remoting.CodeQueryOffset:  {queue, ""},
		remoting.CodeUpdateOffset: {append([]string{"commitOffset", "7"}, queue...), ""},
		remoting.CodeMaxOffset:    {[]string{"topic", "orders", "queueId", "0"}, ""},
		remoting.CodeMembers:      {[]string{"consumerGroup", "billing"}, ""},
		remoting.CodeHeartbeat:    {nil, beat},
		remoting.CodeUnregister:   {[]string{"clientID", "one", "consumerGroup", "billing"}, ""},
		remoting.CodeLock: {
			nil,
			`{"consumerGroup":"billing","clientId":"one","mqSet":[{"topic":"orders","brokerName":"broker-a","queueId":0}]}`,
		},
		remoting.CodeViewMessage: {[]string{"offset", tagged}, ""},
		remoting.CodeSendBack:    {[]string{"offset", tagged, "group", "billing", "delayLevel", "1"}, ""},
		remoting.CodeEndTransaction: {
			[]string{
				"commitLogOffset",
				tagged,
				"producerGroup",
				"producers",
				"tranStateTableOffset",
				"1",
				"commitOrRollback",
				"8",
			},
			"",
		},
	}
}

// nothing wants that brokers have got nothing: what comes after it has come through, on the same
// connections.
func (g *guarded) nothing(what string) {
	g.Helper()
	for _, b := range []*standIn{g.source, g.target} {
		select {
		case f := <-b.got:
			g.Errorf("%s: a broker got a request of code %d", what, f.code)
		default:
		}
	}
	g.session.mu.Lock()
	defer g.session.mu.Unlock()
	assert.Empty(g, g.session.client+string(g.session.beat)+g.session.accessKey, what)
}

// A request that names an access key without its owner's signature reaches no broker, whatever it
// asks for, wherever homes and groups are, and whether or not its client wants an answer. Nothing
// is learned from it.
func TestAForgedRequestIsAnsweredAsByABrokerAndChangesNothing(t *testing.T) {
	for _, at := range []routing.Side{routing.Source, routing.Target} {
		g := newGuarded(t, appKeys)
		v := g.queue(at)
		for code, r := range requests() {
			for _, flag := range []int32{wire.FlagOneWay, 0} {
				g.request(code, flag, forged, r.fields, r.body)
			}
			is, remark := g.answer()
			assert.Equal(t, remoting.SystemError, is, "code %d", code)
			assert.Contains(t, remark, "Check signature failed for accessKey=app", "code %d", code)
			g.nothing("everything on the " + at.String())
		}
		is := v.Progress()
		assert.EqualValues(t, [2]int64{-1, -1}, [2]int64{is.Kept, is.Claimed}, "positions")
		assert.Equal(t, 2*len(requests()), int(g.gateway.clients.figures.refusedSignatures.Load()))
	}
}

// What the gateway can't sign for passes to the source unchanged, whose brokers judge it, and goes
// nowhere else.
func TestWhoTheGatewayCannotJudgeGoesUnchangedToTheSourceOrNowhere(t *testing.T) {
	for name, by := range map[string]signing{"an unknown access key": stranger, "no signature": unsignedBy} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, appKeys)
			g.queue(routing.Source)
			send := requests()[remoting.CodeSendV2]
			g.request(remoting.CodeSendV2, 0, by, send.fields, send.body)
			require.Equal(t, remoting.CodeSendV2, g.source.next(t).code)
			is, _ := g.answer()
			require.Equal(t, remoting.Success, is)

			g.queue(routing.Target)
			for _, code := range []int{remoting.CodeSendV2, remoting.CodePull, remoting.CodeUpdateOffset, remoting.CodeQueryOffset, remoting.CodeMaxOffset, remoting.CodeViewMessage, remoting.CodeSendBack, remoting.CodeEndTransaction} {
				r := requests()[code]
				g.request(code, 0, by, r.fields, r.body)
				is, remark := g.answer()
				assert.Equal(t, remoting.SystemError, is, "code %d", code)
				assert.Contains(t, remark, "No acl config for", "code %d", code)
				g.nothing("all on the target")
			}
		})
	}
}

// A position counts when a broker has taken it, also one whose client wants no answer.
func TestACommitThatABrokerRefusesCountsNothing(t *testing.T) {
	for _, flag := range []int32{0, wire.FlagOneWay} {
		g := newGuarded(t, appKeys)
		v := g.queue(routing.Source)
		r := requests()[remoting.CodeUpdateOffset]
		g.source.answer(remoting.CodeUpdateOffset, wire.Reply{Code: remoting.SystemError, Remark: "no permission"})
		g.request(remoting.CodeUpdateOffset, flag, rightly, r.fields, r.body)
		g.request(remoting.CodeQueryOffset, 0, rightly, requests()[remoting.CodeQueryOffset].fields,
			"") // on the same connection: its answer comes after
		for is, _ := g.answer2(); is == remoting.SystemError; is, _ = g.answer2() {
		}
		is := v.Progress()
		assert.EqualValues(t, -1, is.Kept)
		assert.EqualValues(t, 7, is.Claimed, "a move asks the broker")

		g.source.answer(remoting.CodeUpdateOffset, wire.Reply{})
		g.request(remoting.CodeUpdateOffset, flag, rightly, r.fields, r.body)
		require.Eventually(t, func() bool {
			is := v.Progress()
			return is.Kept == 7 && is.Claimed == -1
		}, patience, time.Millisecond, "a position that a broker has taken counts")
	}
}

// answer2 is answer of whichever request.
func (g *guarded) answer2() (code int, opaque int32) {
	g.Helper()
	require.NoError(g, g.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(g, g.in.Next(&f))
	return f.Code, f.Opaque
}

// Who may not be a member on the source is none here, and none on the target.
func TestAHeartbeatThatABrokerRefusesIsNotLearned(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.source.answer(remoting.CodeHeartbeat, wire.Reply{Code: remoting.SystemError, Remark: "no permission"})
	beat := requests()[remoting.CodeHeartbeat]
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, beat.body)
	is, _ := g.answer()
	require.Equal(t, remoting.SystemError, is)
	g.source.next(t)
	g.nothing("a refused heartbeat")

	g.source.answer(remoting.CodeHeartbeat, wire.Reply{})
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, beat.body)
	is, _ = g.answer()
	require.Equal(t, remoting.Success, is)
	require.Equal(t, remoting.CodeHeartbeat, g.target.next(t).code, "the target hears of the member")
	g.session.mu.Lock()
	defer g.session.mu.Unlock()
	require.Equal(t, "one", g.session.client)
}

// Brokers read more forms of numbers than are read here. Such a request would be for another queue
// there, past its home and holds.
func TestANumberThatBrokersMayReadOtherwiseIsRefused(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = "" // clusters without access control
	g.queue(routing.Target)
	for code, r := range requests() {
		for _, key := range bodies.NumbersOf(code) {
			all := []string{"+0", "\u0660", " 0", "0x0", "", "00000000000000000000"}
			if key.Bits == 32 {
				all = append(all, "4294967296", "-2147483649")
			}
			for _, odd := range all {
				fields := append([]string{}, r.fields...)
				for i := 0; i < len(fields); i += 2 {
					if fields[i] == key.Key {
						fields[i+1] = odd
					}
				}
				g.request(code, 0, unsignedBy, fields, r.body)
				is, remark := g.answer()
				assert.Equal(t, remoting.SystemError, is, "code %d, %s %q", code, key.Key, odd)
				assert.Contains(t, remark, key.Key)
				g.nothing(key.Key)
			}
		}
	}
}

// A client that could do nothing on the target holds up moves, and says why.
func TestWhoCouldNotBeSignedForOnTheTargetHoldsUpMoves(t *testing.T) {
	for name, c := range map[string]struct {
		keys string
		by   signing
		says string
	}{
		"signs with a known key": {appKeys, rightly, ""},
		"signs with another key": {appKeys, stranger, "signs with access key stranger, of which the " +
			"gateway has no secret"},
		"doesn't sign":                 {appKeys, unsignedBy, "doesn't sign, and the file of --keys has no unsigned"},
		"doesn't sign, and needn't do": {"unsigned: {accessKey: guest, secretKey: three}", unsignedBy, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, c.keys)
			g.queue(routing.Source)
			g.request(remoting.CodeHeartbeat, 0, c.by, nil, requests()[remoting.CodeHeartbeat].body)
			is, _ := g.answer()
			require.Equal(t, remoting.Success, is)
			shares := requests()[remoting.CodeHeartbeat].body
			require.Contains(t, string(shares), "billing")
			_, err := g.gateway.allFit(store.Round{Kind: control.KindSide, To: "target", Group: "billing"})
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

// Brokers of 5.3.3 look at no rights for LITE_PULL_MESSAGE, which 4.9.7 doesn't have: who may read
// nothing on the source would read everything on the target, and commit.
func TestALitePullGoesToTheTargetAsAPull(t *testing.T) {
	for at, want := range map[routing.Side]int{routing.Source: remoting.CodeLitePull, routing.Target: remoting.CodePull} {
		g := newGuarded(t, appKeys)
		g.queue(at)
		broker := map[routing.Side]*standIn{routing.Source: g.source, routing.Target: g.target}[at]
		g.request(remoting.CodeLitePull, 0, rightly, requests()[remoting.CodePull].fields, "")
		require.Equal(t, want, broker.next(t).code, "all on the %s", at)
	}
}

// Everybody with a key may say that it is any client with any producer group. That must not keep
// the real one from being known on the target.
func TestWhoSignsWithAnotherKeyIsAnotherClientWhateverItSays(t *testing.T) {
	g := newGuarded(t, `{applications: [
		{accessKey: app, secretKey: app-secret}, {accessKey: other, secretKey: others-secret}]}`)
	g.queue(routing.Source)
	const beat = `{"clientID":"one","consumerDataSet":[],"producerDataSet":[{"groupName":"producers"}]}`
	_, theirs := g.gateway.connect(t)
	real, in := g.client, g.in
	for _, one := range []struct {
		conn net.Conn
		in   *wire.Reader
		by   signing
	}{{theirs, wire.NewReader(theirs), signing{"other", "others-secret", ""}}, {real, in, rightly}} {
		g.client, g.in = one.conn, one.in
		g.request(remoting.CodeHeartbeat, 0, one.by, nil, beat)
		is, remark := g.answer()
		require.Equal(t, remoting.Success, is, remark)
		require.Equal(t, remoting.CodeHeartbeat, g.target.next(t).code, "%s is known on the target", one.by.key)
	}
}

// By the positions and locks of the lanes' group, lanes and gateways know what was copied, who
// holds a lease, and what was decided: no client is one of its members.
func TestNobodyIsAMemberOfTheLanesGroup(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.queue(routing.Source)
	g.gateway.sides.Migration.Store(&replicas.Migration{Migration: control.Migration{LaneGroup: "billing"}})
	for _, code := range []int{remoting.CodePull, remoting.CodeQueryOffset, remoting.CodeUpdateOffset, remoting.CodeMembers, remoting.CodeHeartbeat, remoting.CodeLock} {
		r := requests()[code]
		g.request(code, 0, unsignedBy, r.fields, r.body)
		is, _ := g.answer()
		assert.Equal(t, remoting.NoPermission, is, "code %d", code)
		g.nothing("a member of the lanes' group")
	}
}
