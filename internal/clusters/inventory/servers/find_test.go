package servers

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/facts/factstest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/plan"
)

// running is a cluster whose broker started an hour ago by its clock, which is ahead by so much.
func running(broker, version string, ahead time.Duration) *remotingtest.Cluster {
	begun := time.Now().Add(ahead - time.Hour)
	return &remotingtest.Cluster{
		Name: "C", Broker: broker, Version: version,
		Topics: map[string]remotingtest.Topic{"orders": {Read: 4, Write: 4, Perm: 6}},
		Config: map[string]string{"brokerName": broker},
		Runtime: map[string]string{
			"bootTimestamp": strconv.FormatInt(begun.UnixMilli(), 10),
			"runtime":       "[ 0 days, 1 hours, 0 minutes, 0 seconds ]",
		},
	}
}

func find(t *testing.T, source, target *remotingtest.Cluster) []api.Finding {
	t.Helper()
	sides, seen := factstest.Sides(t, source, target), facts.Facts{TopicNames: []string{"orders"}}
	factstest.Tables(t, sides.Source, &seen)
	brokers, err := sides.Target.FindBrokers(t.Context())
	require.NoError(t, err)
	seen.Target.Brokers = brokers
	all, err := Find(t.Context(), sides, seen)
	require.NoError(t, err)
	return all
}

func TestClocksThatDifferAreFound(t *testing.T) {
	all := find(t, running("broker-a", "V4_9_7", -time.Minute), running("broker-b", "V5_3_3", 0))
	require.Equal(t, []string{"clock-skew", "clock-skew"}, factstest.IDs(all))
	assert.Equal(t, "source broker broker-a", all[0].Object)
	assert.Contains(t, all[0].Cause, "behind that of this machine")
	assert.Contains(t, all[1].Cause, "source broker broker-a and of target broker broker-b")
	all = find(t, running("broker-a", "V4_9_7", 0), running("broker-b", "V5_3_3", time.Minute))
	assert.Contains(t, all[0].Cause, "ahead of that of this machine")

	assert.Empty(t, find(t, running("broker-a", "V4_9_7", time.Second), running("broker-b", "V5_3_3", 0)))
	untold := running("broker-a", "V4_9_7", time.Hour)
	untold.Runtime["runtime"] = ""
	assert.Empty(t, find(t, untold, running("broker-b", "V5_3_3", 0)), "it doesn't tell its time")
}

func TestOneBrokerOnBothSidesIsTheSameClusterUnderWhateverAddress(t *testing.T) {
	all := find(t, running("broker-a", "V5_3_3", 0), running("broker-a", "V5_3_3", time.Second))
	assert.NotContains(t, factstest.IDs(all), "self-replication", "they started at other moments")
	same := running("broker-a", "V5_3_3", 0)
	all = find(t, same, &remotingtest.Cluster{Name: "C", Broker: "broker-a", Version: "V5_3_3", Runtime: same.Runtime})
	require.Contains(t, factstest.IDs(all), "self-replication")
	assert.True(t, all[0].Refusal)
	assert.Contains(t, all[0].Cause, "same millisecond")
}

func TestVersionsThatAreTooOldOrDifferAreFound(t *testing.T) {
	of := func(versions ...string) (brokers []rocketmq.Broker) {
		for i, v := range versions {
			brokers = append(brokers, rocketmq.Broker{Name: "broker-" + strconv.Itoa(i), Version: v})
		}
		return brokers
	}
	old := tooOld(of("4.2.0", "4.9.7", ""))
	require.Len(t, old, 1)
	assert.Equal(t, "source broker broker-0", old[0].Object)
	assert.True(t, old[0].Refusal)

	names := []nameServer{{"10.0.0.1:9876", "4.9.7"}}
	assert.Empty(t, mixed(api.Source, of("4.9.7", "4.9.7", ""), names, facts.Facts{}))
	assert.Empty(t, mixed(api.Source, of("4.9.7"), []nameServer{{"10.0.0.1:9876", "#999"}}, facts.Facts{}), "not known")
	found := mixed(api.Source, of("4.9.7", "4.9.4"), names, facts.Facts{})
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Cause, "4.9.4, 4.9.7")
	found = mixed(api.Source, of("4.9.7"), []nameServer{{"10.0.0.1:9876", "4.5.2"}}, facts.Facts{})
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Evidence[0].Fact, "name server 10.0.0.1:9876 4.5.2")
}

func TestTimersThatAreOffMatterWhereMessagesAreDelayed(t *testing.T) {
	with := func(on string, kind plan.MessageType) facts.Facts {
		return facts.Facts{
			TopicNames: []string{"orders"}, Types: map[string]plan.MessageType{"orders": kind},
			Target: facts.Target{Configured: []brokerconfig.Broker{
				{Name: "broker-b", Values: map[string]string{"timerWheelEnable": on}},
			}},
		}
	}
	assert.Equal(t, []string{"target-feature-off"}, factstest.IDs(featuresOff(with("false", plan.TypeDelay))))
	assert.Empty(t, featuresOff(with("true", plan.TypeDelay)))
	assert.Empty(t, featuresOff(with("false", plan.TypeNormal)))
}

func TestNameServersThatSayDifferentThingsOfTopicsAreFound(t *testing.T) {
	find := func(change func(*remotingtest.Cluster)) []api.Finding {
		first, second := running("broker-a", "V4_9_7", 0), running("broker-a", "V4_9_7", 0)
		change(second)
		client := rocketmq.NewClient(rocketmq.Options{})
		t.Cleanup(client.Close)
		both := rocketmq.NewCluster(client, []string{first.Start(t), second.Start(t)})
		one := &clusters.One{Cluster: both, Side: api.Source}
		route, err := one.Route(t.Context(), "orders")
		require.NoError(t, err)
		all, err := viewsOf(t.Context(), one, facts.Facts{
			TopicNames: []string{"orders"}, Routes: map[string]rocketmq.Route{"orders": route},
		})
		require.NoError(t, err)
		return all
	}
	assert.Empty(t, find(func(*remotingtest.Cluster) {}))
	all := find(func(c *remotingtest.Cluster) { delete(c.Topics, "orders") })
	require.Len(t, all, 1)
	assert.Contains(t, all[0].Cause, "doesn't know topics that brokers have: orders")
	all = find(func(c *remotingtest.Cluster) { c.Topics["orders"] = remotingtest.Topic{Read: 4, Write: 4, Perm: 4} })
	require.Len(t, all, 1)
	assert.True(t, all[0].Refusal)
	assert.Contains(t, all[0].Cause, "shows clients other queues of topics than")
}

// Brokers in containers advertise addresses that lead nowhere from outside.
func TestABrokerThatIsReachedElsewhereIsFoundWithItsAddress(t *testing.T) {
	away := running("broker-a", "V4_9_7", 0)
	away.Advertised = "127.0.0.9" // nobody listens there
	source := factstest.Open(t, api.Source, away)
	all, err := Unreached(t.Context(), source)
	require.NoError(t, err)
	require.Equal(t, []string{"broker-address"}, factstest.IDs(all))
	assert.Contains(t, all[0].Cause, "it answers at "+away.Addr())
	assert.Contains(t, all[0].Next, `": "`+away.Addr()+`" into source.addresses`)
	assert.Contains(t, all[0].Next, "--source-address "+"127.0.0.9:")

	other := running("broker-a", "V4_9_7", 0)
	other.Advertised, other.Config = "127.0.0.9", map[string]string{"brokerName": "broker-z"}
	all, err = Unreached(t.Context(), factstest.Open(t, api.Source, other))
	require.NoError(t, err)
	assert.Empty(t, all, "another broker is there: this one may be down")

	all, err = Unreached(t.Context(), factstest.Open(t, api.Source, running("broker-a", "V4_9_7", 0)))
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestAddressesOfOtherNetworksAreTold(t *testing.T) {
	assert.True(t, private("10.244.1.5:10911", []string{"203.0.113.7:9876"}))
	assert.True(t, private("172.17.0.3:10911", []string{"192.168.1.2:9876"}))
	assert.False(t, private("10.0.0.9:10911", []string{"10.0.0.1:9876"}), "it may be down")
	assert.False(t, private("203.0.113.9:10911", []string{"203.0.113.7:9876"}))
	assert.False(t, private("127.0.0.1:10911", []string{"127.0.0.1:9876"}))
	assert.False(t, private("broker-a.example:10911", []string{"203.0.113.7:9876"}), "a name tells no network")
}
