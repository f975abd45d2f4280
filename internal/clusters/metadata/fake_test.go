package metadata

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// fakeSide is a cluster that speaks the wire protocol: a name server and brokers with topics and
// groups, as 5.3.3 and 5.5.0 behave, or as brokers before them that know no lists.
type fakeSide struct {
	mu       sync.Mutex
	version  string
	settings map[string]string // of each broker
	brokers  map[string]*fakeBroker
	kv       map[string]map[string]string
	lists    bool // brokers know list creation
	calls    int  // that were answered or cut off
	writes   int
	cutAt    int  // the call that is cut off; 0 for none
	late     bool // it is done, and its answer is lost
	singles  int  // topics and groups that were written alone

	serving sync.WaitGroup // connections
}

type fakeBroker struct {
	topics map[string]map[string]any
	groups map[string]map[string]any
	ends   map[string]int64 // messages of topics, in each queue
	// members are those of groups, by client id: whether they read in order, "" for silent ones
	members map[string]map[string]string
}

func newFakeSide(version string, names ...string) *fakeSide {
	f := &fakeSide{version: version, brokers: map[string]*fakeBroker{}, kv: map[string]map[string]string{}, lists: true}
	for _, name := range names {
		f.brokers[name] = &fakeBroker{
			topics: map[string]map[string]any{}, groups: map[string]map[string]any{}, ends: map[string]int64{},
		}
	}
	return f
}

const fakeNameServer = "ns:9876"

// one is the side as a worker opens it.
func (f *fakeSide) one(t testing.TB, side api.Side, p plan.Plan) *clusters.One {
	options := rocketmq.Options{Dial: func(_ context.Context, addr string) (net.Conn, error) {
		here, there := net.Pipe()
		f.serving.Go(func() { f.serve(there, addr) })
		return here, nil
	}}
	if side == api.Target {
		options.Renames = clusters.Renames(p.Target)
	}
	client := rocketmq.NewClient(options)
	t.Cleanup(client.Close)
	return &clusters.One{Cluster: rocketmq.NewCluster(client, []string{fakeNameServer}), Side: side}
}

func bothOf(t testing.TB, p plan.Plan, source, target *fakeSide) clusters.Both {
	return clusters.Both{Plan: p, Source: source.one(t, api.Source, p), Target: target.one(t, api.Target, p)}
}

func (f *fakeSide) serve(conn net.Conn, addr string) {
	defer func() { _ = conn.Close() }()
	for {
		c, err := remoting.ReadFrame(conn)
		if err != nil {
			return
		}
		code, fields, body, cut := f.answer(addr, c)
		if cut {
			return
		}
		frame, err := remoting.AppendFrame(nil, &remoting.Command{
			Code: code, Opaque: c.Opaque, Flag: remoting.FlagResponse, Fields: fields, Body: body,
		})
		if err != nil {
			return
		}
		if _, err := conn.Write(frame); err != nil {
			return
		}
	}
}

func (f *fakeSide) answer(addr string, c *remoting.Command) (int, map[string]string, []byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	cut := f.calls == f.cutAt
	if cut && !f.late {
		return 0, nil, nil, true
	}
	code, fields, doc := f.do(strings.TrimSuffix(addr, ":10911"), c)
	body, _ := json.Marshal(doc)
	if doc == nil {
		body = nil
	}
	if text, is := doc.(string); is {
		body = []byte(text)
	}
	return code, fields, body, cut
}

// do is what the server at an address does.
func (f *fakeSide) do(at string, c *remoting.Command) (code int, fields map[string]string, doc any) {
	b := f.brokers[at]
	switch c.Code {
	case remoting.CodeClusterInfo:
		return f.clusterInfo()
	case remoting.CodeRuntime:
		return 0, nil, map[string]any{
			"table": map[string]string{"brokerVersionDesc": "V" + strings.ReplaceAll(f.version, ".", "_")},
		}
	case remoting.CodeBrokerConfig:
		text := ""
		for name, value := range f.settings {
			text += name + "=" + value + "\n"
		}
		return 0, nil, text
	case remoting.CodeTopicConfigs:
		return 0, nil, map[string]any{"topicConfigTable": b.topics}
	case remoting.CodeGroups:
		return 0, nil, map[string]any{"subscriptionGroupTable": b.groups}
	case remoting.CodeConsumerConnection:
		return b.connections(c.Fields["consumerGroup"])
	case remoting.CodeRunningInfo:
		says := b.members[c.Fields["consumerGroup"]][c.Fields["clientId"]]
		if says == "" {
			return remoting.SystemError, nil, nil
		}
		return 0, nil, map[string]any{"properties": map[string]string{"PROP_CONSUMEORDERLY": says}}
	case remoting.CodeKVList:
		if len(f.kv[c.Fields["namespace"]]) == 0 {
			return remoting.QueryNotFound, nil, nil
		}
		return 0, nil, map[string]any{"table": f.kv[c.Fields["namespace"]]}
	case remoting.CodeTopicStats, remoting.CodeMinOffset:
		return 0, map[string]string{"offset": "0"}, map[string]any{"offsetTable": map[string]any{}}
	case remoting.CodeMaxOffset:
		return 0, map[string]string{"offset": strconv.FormatInt(b.ends[c.Fields["topic"]], 10)}, nil
	}
	return f.write(b, c), nil, nil
}

func (b *fakeBroker) connections(group string) (int, map[string]string, any) {
	var all []any
	for id := range b.members[group] {
		all = append(all, map[string]any{"clientId": id, "clientAddr": "10.0.0.1:1", "language": "JAVA", "version": 401})
	}
	if all == nil {
		return remoting.ConsumerNotOnline, nil, nil
	}
	return 0, nil, map[string]any{"connectionSet": all}
}

func (f *fakeSide) clusterInfo() (int, map[string]string, any) {
	table := map[string]any{}
	for name := range f.brokers {
		table[name] = map[string]any{
			"cluster": "C", "brokerName": name, "brokerAddrs": map[string]string{"0": name + ":10911"},
		}
	}
	return 0, nil, map[string]any{
		"brokerAddrTable":  table,
		"clusterAddrTable": map[string]any{"C": slices.Collect(maps.Keys(f.brokers))},
	}
}

func (f *fakeSide) write(b *fakeBroker, c *remoting.Command) int {
	switch c.Code {
	case remoting.CodeKVPut:
		f.writes++
		if f.kv[c.Fields["namespace"]] == nil {
			f.kv[c.Fields["namespace"]] = map[string]string{}
		}
		f.kv[c.Fields["namespace"]][c.Fields["key"]] = c.Fields["value"]
	case remoting.CodeKVDelete:
		delete(f.kv[c.Fields["namespace"]], c.Fields["key"])
	case remoting.CodeCreateTopic:
		f.writes, f.singles = f.writes+1, f.singles+1
		b.put(topicOf(c.Fields))
	case remoting.CodePutGroup:
		f.writes, f.singles = f.writes+1, f.singles+1
		var group map[string]any
		if json.Unmarshal(c.Body, &group) != nil {
			return remoting.SystemError
		}
		b.groups[group["groupName"].(string)] = group
	case remoting.CodeCreateTopics, remoting.CodePutGroups:
		if !f.lists {
			return remoting.NotSupported
		}
		f.writes++
		return b.list(c.Body)
	default:
		return remoting.NotSupported
	}
	return 0
}

// topicOf is a topic's configuration by a request's fields.
func topicOf(fields map[string]string) map[string]any {
	number := func(name string) int { n, _ := strconv.Atoi(fields[name]); return n }
	attributes := map[string]any{}
	for part := range strings.SplitSeq(fields["attributes"], ",") {
		if name, value, some := strings.Cut(part, "="); some {
			attributes[name] = value
		}
	}
	return map[string]any{
		"topicName": fields["topic"], "readQueueNums": number("readQueueNums"), "writeQueueNums": number("writeQueueNums"),
		"perm": number("perm"), "topicFilterType": fields["topicFilterType"], "topicSysFlag": number("topicSysFlag"),
		"order": fields["order"] == "true", "attributes": attributes,
	}
}

// put merges attributes as brokers do, and reports whether anything was changed.
func (b *fakeBroker) put(topic map[string]any) (changed bool) {
	name := topic["topicName"].(string)
	merged := map[string]any{}
	if old := b.topics[name]; old != nil {
		maps.Copy(merged, old["attributes"].(map[string]any))
	}
	given, _ := topic["attributes"].(map[string]any)
	for key, value := range given {
		merged[strings.TrimPrefix(key, "+")] = value
	}
	topic["attributes"] = merged
	before, _ := json.Marshal(b.topics[name])
	after, _ := json.Marshal(topic)
	b.topics[name] = topic
	return string(before) != string(after)
}

// list does what 5.3.3 and 5.5.0 do: it stops with success at the first topic that is as wanted.
func (b *fakeBroker) list(body []byte) int {
	var all struct {
		Topics []map[string]any `json:"topicConfigList"`
		Groups []map[string]any `json:"groupConfigList"`
	}
	if json.Unmarshal(body, &all) != nil {
		return remoting.SystemError
	}
	for _, topic := range all.Topics {
		if strings.Contains(topic["topicName"].(string), "?") {
			return remoting.InvalidParameter
		}
	}
	for _, topic := range all.Topics {
		if !b.put(topic) {
			return 0
		}
	}
	for _, group := range all.Groups {
		b.groups[group["groupName"].(string)] = group
	}
	return 0
}

// state is everything that the side has, for comparison.
func (f *fakeSide) state(t testing.TB) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]any{"kv": f.kv}
	for name, b := range f.brokers {
		all[name] = map[string]any{"topics": b.topics, "groups": b.groups}
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text)
}
