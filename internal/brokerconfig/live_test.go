package brokerconfig

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// ofTheLab are settings that test servers are started with.
var ofTheLab = map[string]bool{
	"enablePropertyFilter": true, "transactionCheckInterval": true, "waitTimeMillsInSendQueue": true,
	"osPageCacheBusyTimeOutMills": true,
}

func TestLiveEverySettingThatServersTellIsJudged(t *testing.T) {
	for _, version := range []string{"4.9.7", "5.3.3"} {
		t.Run(version, func(t *testing.T) {
			client := rocketmq.NewClient(rocketmq.Options{})
			t.Cleanup(client.Close)
			cluster := rocketmq.NewCluster(client, labtest.Cluster(t, version).NameServers)
			brokers, err := cluster.Brokers(t.Context())
			require.NoError(t, err)
			told, err := client.BrokerConfig(t.Context(), brokers[0].Addr)
			require.NoError(t, err)
			require.Greater(t, len(told), 150, "a broker tells all of its settings")
			for name := range told {
				assert.True(t, judged(name), "%s is new: compare it, or leave it out with a reason", name)
			}
			for _, s := range Table {
				value, there := told[s.Name]
				own, known := s.defaultOf(version)
				assert.Equal(t, known, there, "%s: the table says in which versions it is", s.Name)
				if there && !ofTheLab[s.Name] {
					assert.Equal(t, own, value, "%s: the servers' own value", s.Name)
				}
			}
		})
	}
}
