package gateway

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/lab/javareader"
)

// readings are what the Java classes have read of the corpus. "make readings" writes it.
const readings = "testdata/readings.txt"

// TestLiveJavaReadsTheCorpusOfBodiesAsItIsRecorded: so that what the fuzz targets are compared with
// is true.
func TestLiveJavaReadsTheCorpusOfBodiesAsItIsRecorded(t *testing.T) {
	javareader.CheckRecorded(t, readings)
}

// bodiesOf are those of a file in the corpus, each a text of Go in a line of its own.
func bodiesOf(tb testing.TB, file string) []string {
	return javareader.Texts(tb, "testdata/corpus/"+file+".txt")
}

func addBodies(f *testing.F, files ...string) {
	for _, file := range files {
		for _, body := range bodiesOf(f, file) {
			f.Add([]byte(body))
		}
	}
}

// asJava fails unless the Java classes have read a body as the gateway has, or have refused it.
func asJava[T any](
	t *testing.T, java javareader.Asker, class string, body []byte, want any, same func(T) any,
) {
	t.Helper()
	type refusable struct{ Refused string }
	refused := javareader.Ask[refusable](t, java, javareader.Body(class, body))
	for i, got := range javareader.Ask[json.RawMessage](t, java, javareader.Body(class, body)) {
		if refused[i].Refused != "" {
			continue
		}
		var is T
		require.NoError(t, json.Unmarshal(got, &is))
		if says := same(is); !reflect.DeepEqual(want, says) {
			t.Fatalf("the gateway reads %+v\nRocketMQ %s reads %+v\nof %q", want,
				javareader.Versions[i], says, body)
		}
	}
}

// javaBeat is HeartbeatData.
type javaBeat struct {
	ClientID        string
	ConsumerDataSet []*struct {
		GroupName    *string
		MessageModel string
	}
	ProducerDataSet []*struct{ GroupName *string }
}

// says are a heartbeat's client, its memberships, and its producers.
func (b javaBeat) says() any {
	is := []string{"client " + b.ClientID}
	for _, m := range b.ConsumerDataSet {
		if m == nil {
			m = &struct {
				GroupName    *string
				MessageModel string
			}{}
		}
		is = append(is, "reads "+orNull(m.GroupName)+" "+m.MessageModel)
	}
	for _, p := range b.ProducerDataSet {
		if p == nil {
			p = &struct{ GroupName *string }{}
		}
		is = append(is, "writes "+orNull(p.GroupName))
	}
	return sortedOnce(is)
}

func orNull(s *string) string {
	if s == nil {
		return "<null>"
	}
	return *s
}

func sortedOnce(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

func saidIn(b bodies.Heartbeat) any {
	is := []string{"client " + b.Client}
	for _, m := range b.Reads {
		is = append(is, "reads "+m.Group+" "+string(m.Model))
	}
	for _, group := range b.Writes {
		is = append(is, "writes "+group)
	}
	return sortedOnce(is)
}

func beatAgainst(t *testing.T, java javareader.Asker, body []byte) {
	if is, err := bodies.ParseHeartbeat(body); err == nil {
		asJava(t, java, "heartbeat.HeartbeatData", body, saidIn(is), javaBeat.says)
	}
}

func FuzzHeartbeatsAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	addBodies(f, "stock-heartbeats", "odd-heartbeats")
	f.Fuzz(func(t *testing.T, body []byte) { beatAgainst(t, java, body) })
}

// javaLock is LockBatchRequestBody and UnlockBatchRequestBody, and LockBatchResponseBody.
type javaLock struct {
	ConsumerGroup, ClientID *string
	MqSet, LockOKMQSet      []*struct {
		Topic, BrokerName *string
		QueueID           json.Number
	}
}

func (l javaLock) says() any {
	is := []string{"group " + orNull(l.ConsumerGroup), "client " + orNull(l.ClientID)}
	for _, q := range append(l.MqSet, l.LockOKMQSet...) {
		if q == nil {
			is = append(is, "<null>")
			continue
		}
		is = append(is, fmt.Sprintf("%s %s %s", orNull(q.Topic), orNull(q.BrokerName), q.QueueID))
	}
	return sortedOnce(is)
}

func saysOfLock(group, client string, queues []bodies.JsonQueue) any {
	is := []string{"group " + group, "client " + client}
	for _, q := range queues {
		is = append(is, fmt.Sprintf("%s %s %d", q.Topic, q.Broker, q.ID))
	}
	return sortedOnce(is)
}

func lockAgainst(t *testing.T, java javareader.Asker, body []byte) {
	if is, err := bodies.ParseLock(body); err == nil {
		for _, class := range []string{"body.LockBatchRequestBody", "body.UnlockBatchRequestBody"} {
			asJava(t, java, class, body, saysOfLock(is.Group, is.Client, is.Queues), javaLock.says)
		}
	}
	if is, err := bodies.ParseLocks(body); err == nil {
		asJava(t, java, "body.LockBatchResponseBody", body, saysOfLock("<null>", "<null>",
			is.Queues), javaLock.says)
	}
}

func FuzzLocksAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	addBodies(f, "stock-locks", "stock-locked", "odd-locks")
	f.Fuzz(func(t *testing.T, body []byte) { lockAgainst(t, java, body) })
}

// bodyComposer writes heartbeats and lock bodies of pieces that bytes choose.
type bodyComposer struct{ javareader.Composer }

// name writes the key of a member: one of the class, or seldom another one.
func (c *bodyComposer) name(of ...string) func() {
	return func() {
		is := of[c.Choose(len(of))]
		c.Plainly(`"`+is+`"`, `"`+strings.ToUpper(is)+`"`, `"_`+is+`"`, `"is`+is+`"`, `'`+is+`'`,
			is, `"\u00`+fmt.Sprintf("%02x", is[0])+is[1:]+`"`,
			`"@type"`, `"$ref"`, `""`, `"`+is+`-"`, `"`+strings.Replace(is, "s", "ſ", 1)+`"`, `"x"`)
	}
}

func (c *bodyComposer) list(element func()) {
	if c.Choose(12) == 11 {
		c.Value()
		return
	}
	c.Piece("[")
	for i, n := 0, c.Choose(4); i < n; i++ {
		if i > 0 {
			c.Plainly(",", ",,", " , ")
		}
		c.Space()
		element()
	}
	c.Plainly("]", ",]", "")
}

func (c *bodyComposer) beat() {
	group := func() {
		c.Object(c.name("groupName", "messageModel", "consumeType", "subscriptionDataSet", "unitMode"), func() {
			if c.Choose(3) == 0 {
				c.Piece(`"CLUSTERING"`, `"BROADCASTING"`, `"Clustering"`, `"BroadCasting"`,
					`"broadcasting"`, `0`, `1`, `2`, `"0"`, `null`, `""`, `"CLUſTERING"`, `"x"`,
					`true`, `-1`, `0.0`, `"CLUSTERING "`, `"\u0043LUSTERING"`)
			} else {
				c.Value()
			}
		})
	}
	c.Begin()
	c.Object(c.name("clientID", "consumerDataSet", "producerDataSet", "withoutSub"),
		func() {
			if c.Choose(3) == 0 {
				c.Value()
			} else {
				c.list(group)
			}
		})
	c.Space()
}

func (c *bodyComposer) lock() {
	queue := func() {
		c.Piece(`{"topic":"t"`, `{"topic":"t","brokerName":"b","queueId":1`)
		for range c.Choose(4) {
			c.Plainly(",", ",,")
			c.name("topic", "brokerName", "queueId")()
			c.Plainly(":", " : ")
			if c.Choose(2) == 0 {
				c.Number()
			} else {
				c.Value()
			}
		}
		c.Plainly("}", ",}")
	}
	c.Begin()
	c.Object(c.name("consumerGroup", "clientId", "mqSet", "lockOKMQSet", "onlyThisBroker"), func() {
		if c.Choose(3) == 0 {
			c.Value()
		} else {
			c.list(queue)
		}
	})
	c.Space()
}

func FuzzComposedBodiesAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	for _, seed := range []string{
		"", "00000000", "\x00\x00\x03\x01\x01\x01\x02\x01\x01\x01",
		"0123456789abcdef",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		beats, locks := bodyComposer{javareader.Composer{Choices: choices}},
			bodyComposer{javareader.Composer{Choices: choices}}
		beats.beat()
		beatAgainst(t, java, beats.Out)
		locks.lock()
		lockAgainst(t, java, locks.Out)
	})
}

// Stock clients' bodies are taken, and read as brokers read them.
func TestBodiesOfStockClientsAreTaken(t *testing.T) {
	for _, body := range bodiesOf(t, "stock-heartbeats") {
		_, err := bodies.ParseHeartbeat([]byte(body))
		require.NoError(t, err, body)
	}
	for _, body := range bodiesOf(t, "stock-locks") {
		_, err := bodies.ParseLock([]byte(body))
		require.NoError(t, err, body)
	}
	for _, body := range bodiesOf(t, "stock-locked") {
		_, err := bodies.ParseLocks([]byte(body))
		require.NoError(t, err, body)
	}
	for _, body := range bodiesOf(t, "stock-routes") {
		_, unknown := bodies.TranslateRoute([]byte(body), routePorts)
		require.Empty(t, unknown, body)
	}
}

var routePorts = map[string]string{"10.0.0.1:10911": "gw:1", "10.0.0.2:10911": "gw:2"}

// withPorts puts the gateway's addresses into what Java has read.
func withPorts(v any) any { return withAddrs(v, routePorts) }

// onlyPorts is what Java has read if all addresses there are the gateway's.
func onlyPorts(v any) any { return withAddrs(v, map[string]string{"gw:1": "gw:1", "gw:2": "gw:2"}) }

// withAddrs returns a copy with other addresses of brokers.
func withAddrs(v any, known map[string]string) any {
	switch v := v.(type) {
	case []any:
		v = slices.Clone(v)
		for i := range v {
			v[i] = withAddrs(v[i], known)
		}
		return v
	case map[string]any:
		all := map[string]any{}
		for key, one := range v {
			addrs, is := one.(map[string]any)
			if key != bodies.BrokerAddrs || !is {
				all[key] = withAddrs(one, known)
				continue
			}
			there := map[string]any{}
			for id, addr := range addrs {
				there[id] = "an address that isn't the gateway's"
				if here, is := known[fmt.Sprint(addr)]; is {
					there[id] = here
				}
			}
			all[key] = there
		}
		return all
	}
	return v
}

func FuzzRoutesAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	addBodies(f, "stock-routes", "odd-routes")
	f.Fuzz(func(t *testing.T, body []byte) {
		out, unknown := bodies.TranslateRoute(body, routePorts)
		if unknown != "" {
			return
		}
		for _, class := range []string{"route.TopicRouteData", "body.ClusterInfo"} {
			was := javareader.Ask[any](t, java, javareader.Body(class, body))
			for i, is := range javareader.Ask[any](t, java, javareader.Body(class, out)) {
				want := withPorts(was[i])
				if asRead, refused := was[i].(map[string]any); refused && asRead["refused"] != nil {
					want = onlyPorts(is) // what was refused is written in a form that isn't
				}
				if !reflect.DeepEqual(want, is) {
					t.Fatalf("RocketMQ %s reads %+v as %s\nof %q\nwanted: %+v\nof %q",
						javareader.Versions[i], is, class, out, want, body)
				}
			}
		}
	})
}
