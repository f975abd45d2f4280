package instance

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// existingWith is the provider of a worker with that configuration and environment.
func existingWith(t *testing.T, allowed string, environment map[string]string) Existing {
	t.Helper()
	keys, err := secrets.New(allowed, func(name string) string { return environment[name] })
	require.NoError(t, err)
	return Existing{Keys: keys}
}

func existingPlan(nameServers ...string) plan.Plan {
	return plan.Plan{Name: "x", Target: plan.Target{Provider: plan.ProviderExisting, NameServers: nameServers}}
}

// startCluster starts a cluster that somebody else would run.
func startCluster(t *testing.T, spec lab.ClusterSpec) *lab.Cluster {
	t.Helper()
	labtest.NeedsServers(t)
	root, err := lab.Root()
	require.NoError(t, err)
	files, err := lab.FindFiles(root)
	require.NoError(t, err)
	cluster, err := lab.Start(testContext(t), files, t.TempDir(), spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Kill()) })
	return cluster
}

func TestLongExistingInstanceIsFoundWithItsCredentials(t *testing.T) {
	c := startCluster(t, lab.ClusterSpec{
		Name: "Theirs", Version: "5.3.3", Admin: &lab.Account{AccessKey: "administrator", SecretKey: "not-secret"},
	})
	p := existingPlan(c.NameServers...)
	p.Target.Credentials = &plan.Credentials{Env: "THEIRS"}
	environment := map[string]string{
		"THEIRS_ACCESS_KEY": "administrator",
		"THEIRS_SECRET_KEY": "not-secret",
	}
	existing := existingWith(t, "THEIRS="+c.NameServers[0], environment)
	_, err := existingWith(t, "THEIRS="+c.NameServers[0], nil).Purchase(testContext(t), p)
	require.ErrorContains(t, err, "target.credentials: the worker's environment has no "+
		"THEIRS_ACCESS_KEY and THEIRS_SECRET_KEY")
	_, err = existingWith(t, "", environment).Purchase(testContext(t), p)
	require.ErrorContains(t, err, "doesn't use THEIRS_ACCESS_KEY with "+c.NameServers[0])

	is := contract{provider: existing, plan: p, there: true}.holds(t)
	require.Equal(t, api.Instance{
		Provider: "existing", Name: "Theirs", NameServers: c.NameServers, Version: "5.3.3", Cluster: "Theirs",
	}, is)
}

func TestLongExistingInstanceOf4IsRefused(t *testing.T) {
	c := startCluster(t, lab.ClusterSpec{Version: "4.9.7"})
	_, err := Existing{}.Purchase(testContext(t), existingPlan(c.NameServers...))
	require.ErrorContains(t, err, "broker broker-a ("+c.Brokers[0].Addr+") is RocketMQ 4.9.7: a target is RocketMQ 5.x")
}

func TestExistingInstanceWhoseNameServersDoNotAnswerIsAnErrorThatNamesThem(t *testing.T) {
	ports, err := lab.FreePorts(1)
	require.NoError(t, err)
	addr := "127.0.0.1:" + strconv.Itoa(ports[0])
	_, there, err := Existing{}.Describe(testContext(t), existingPlan(addr))
	require.ErrorContains(t, err, "target behind name servers "+addr)
	require.False(t, there)
}

func TestOldestBrokerGivesTheVersionOfOneCluster(t *testing.T) {
	broker := func(cluster, version string) rocketmq.Broker {
		return rocketmq.Broker{Cluster: cluster, Name: "b", Addr: "a", Version: version}
	}
	oldest, err := oldestOf([]rocketmq.Broker{broker("A", "V5_10_0"), broker("A", "5.3.3"), broker("A", "V5_3_10")})
	require.NoError(t, err)
	require.Equal(t, "5.3.3", oldest.Version)

	_, err = oldestOf([]rocketmq.Broker{broker("A", "5.3.3"), broker("B", "5.3.3")})
	require.ErrorContains(t, err, "they know two clusters, A and B")
	_, err = oldestOf(nil)
	require.ErrorContains(t, err, "no broker is registered")
	_, err = oldestOf([]rocketmq.Broker{broker("A", "")})
	require.ErrorContains(t, err, "a target is RocketMQ 5.x")
}

func TestUnknownProviderNamesTheKnownOnes(t *testing.T) {
	_, err := For(plan.Plan{Target: plan.Target{Provider: "moon"}}, "", nil)
	require.EqualError(t, err, `target.provider "moon" is unknown: use local, existing or aliyun`)
}
