package live_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/live"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
)

// nameServer knows one broker, or none without an address, and an order configuration.
func nameServer(t *testing.T, cluster, broker, order string) string {
	t.Helper()
	return remotingtest.Serve(t, func(asked *remoting.Command) remotingtest.Answer {
		switch {
		case asked.Code == remoting.CodeClusterInfo:
			return remotingtest.Answer{Body: fmt.Appendf(nil, `{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:%q},`+
				`"brokerName":"broker-a","cluster":%q}},"clusterAddrTable":{%q:["broker-a"]}}`, broker, cluster, cluster)}
		case asked.Code == remoting.CodeKVList && asked.Fields["namespace"] == metadata.OrderNamespace:
			return remotingtest.Answer{Body: fmt.Appendf(nil, `{"table":{"orders":%q,"same":"x"}}`, order)}
		}
		return remotingtest.Answer{Code: remoting.QueryNotFound}
	})
}

func fake(t *testing.T) *remotingtest.Cluster {
	t.Helper()
	c := &remotingtest.Cluster{
		Name: "C", Broker: "broker-a", Version: "V4_9_7", Topics: map[string]remotingtest.Topic{"orders": {Read: 4, Write: 4, Perm: 6}},
		Groups: map[string]bool{"g": true}, Offsets: map[string]map[int]int64{"orders@g": {0: 1}},
	}
	c.Start(t)
	return c
}

func read(t *testing.T, part rocketmq.Part, nameServers ...string) (metadata.Cluster, string, error) {
	t.Helper()
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	c, gaps, err := live.Reader{Cluster: rocketmq.NewClusterOf(client, nameServers, part)}.Read(t.Context())
	return c, fmt.Sprint(gaps), err
}

func TestNameServersThatDisagreeAreTold(t *testing.T) {
	broker := fake(t).Addr()
	first, second := nameServer(t, "C", broker, "broker-a:4"), nameServer(t, "C", broker, "broker-a:8")
	c, told, err := read(t, rocketmq.Part{}, first, second, "127.0.0.1:1")
	require.NoError(t, err)
	require.Equal(t, []metadata.Order{{Topic: "orders", Queues: "broker-a:4"}, {Topic: "same", Queues: "x"}}, c.Order)
	require.Contains(
		t,
		told,
		fmt.Sprintf("KV ORDER_TOPIC_CONFIG: name server %s says something else than %s, which counts (orders)",
			second, first),
	)
	require.Contains(t, told, "brokers: name server 127.0.0.1:1 doesn't answer")
	require.Contains(t, told, "KV of name servers: they don't list their namespaces")
	require.Equal(t, []metadata.Queues{{Broker: "broker-a", Read: 4, Write: 4, Perm: 6}}, c.Topics[0].Queues)
	require.Equal(t, metadata.SeenPositions, c.Subscriptions[0].Seen)
}

func TestWhichOfSeveralClustersIsMeantMustBeSaid(t *testing.T) {
	broker := fake(t).Addr()
	one, two := nameServer(t, "C", broker, ""), nameServer(t, "other", broker, "")
	_, _, err := read(t, rocketmq.Part{}, one, two)
	require.ErrorContains(t, err, "know several clusters, C and other: say which one is meant")
	c, _, err := read(t, rocketmq.Part{Cluster: "C"}, one, two)
	require.NoError(t, err)
	require.Equal(t, "C", c.Brokers[0].Cluster)
}

func TestAnAnswerThatCanNotBeReadNamesTheBroker(t *testing.T) {
	c := fake(t)
	c.More = func(asked *remoting.Command) (remotingtest.Answer, bool) {
		return remotingtest.Answer{
			Body: []byte(`{"topicConfigTable":{"orders":{"perm":"x`),
		}, asked.Code == remoting.CodeTopicConfigs
	}
	_, _, err := read(t, rocketmq.Part{}, nameServer(t, "C", c.Addr(), ""))
	require.ErrorContains(t, err, "broker broker-a at "+c.Addr())
	require.ErrorContains(t, err, "malformed JSON: the string has no end")
}

// telling is a fake whose broker answers some requests itself.
func telling(t *testing.T, version string, answers map[int]remotingtest.Answer) string {
	t.Helper()
	c := fake(t)
	c.Version, c.Config = version, map[string]string{"aclEnable": "true"}
	c.More = func(asked *remoting.Command) (remotingtest.Answer, bool) {
		a, is := answers[asked.Code]
		return a, is
	}
	return c.Start(t)
}

func TestUsersAreReadWithoutTheirSecrets(t *testing.T) {
	const one = `{"aclDataVersion":{},"plainAccessConfigs":[{"accessKey":"billing","secretKey":"never-shown",` +
		`"admin":false,"defaultTopicPerm":"DENY","defaultGroupPerm":"SUB","topicPerms":["orders=PUB|SUB"]}],` +
		`"globalWhiteAddrs":["10.0.0.*"]}`
	users := map[int]remotingtest.Answer{
		remoting.CodeListUsers: {Body: []byte(`[{"username":"billing","password":"never-shown","userType":"Normal",` +
			`"userStatus":"enable"},{"username":"root","userType":"Super","userStatus":"enable"}]`)},
		remoting.CodeListACLs: {Body: []byte(`[{"subject":"User:billing","policies":[{"policyType":"Custom","entries":` +
			`[{"resource":"Topic:orders","actions":["Pub"],"sourceIps":[],"decision":"Allow"}]}]}]`)},
	}
	refused := remotingtest.Answer{Code: remoting.NoPermission, Remark: "User:app has no permission"}
	for name, of := range map[string]struct {
		nameServer string
		users      int
		told       []string
	}{
		"ACL 1.0": {
			telling(t, "V4_9_7", map[int]remotingtest.Answer{remoting.CodeACLConfig: {Body: []byte(one)}}), 1,
			[]string{"clients without keys", "10.0.0.*", "secrets of users: "},
		},
		"untold": {
			telling(t, "V4_5_2", map[int]remotingtest.Answer{
				remoting.CodeACLConfig: {Body: []byte(one)}, // it must not be asked: it wouldn't answer
			}), 0, []string{"users and rights: brokers of this version tell none: convert plain_acl.yml"},
		},
		"ACL 2.0": {telling(t, "V5_3_3", users), 2, []string{"secrets of users: "}},
		"no right": {
			telling(t, "V5_5_0", map[int]remotingtest.Answer{remoting.CodeListUsers: refused}), 0,
			[]string{"users and rights: ", "super users", "User:app has no permission (broker-a)"},
		},
		"no configuration": {
			telling(t, "V5_5_0", map[int]remotingtest.Answer{remoting.CodeBrokerConfig: refused}), 0,
			[]string{"users and rights: ", "User:app has no permission (broker-a)"},
		},
	} {
		c, told, err := read(t, rocketmq.Part{}, of.nameServer)
		require.NoError(t, err, name)
		require.Len(t, c.Users, of.users, name)
		for _, says := range of.told {
			require.Contains(t, told, says, name)
		}
		text, err := c.YAML()
		require.NoError(t, err)
		require.NotContains(t, string(text)+told, "never-shown", name)
		if of.users > 0 {
			require.Len(t, c.Users[0].Rights, 1, name)
		}
	}
	open := fake(t)
	open.More = func(asked *remoting.Command) (remotingtest.Answer, bool) {
		require.NotEqual(t, remoting.CodeACLConfig, asked.Code, "4.9.7 without access control doesn't answer it")
		return remotingtest.Answer{}, false
	}
	_, told, err := read(t, rocketmq.Part{}, open.Start(t))
	require.NoError(t, err)
	require.NotContains(t, told, "users")
}
