package lab

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestClusterWithAnAdminRefusesEverybodyElse(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4.9.7", "5.3.3"} {
		t.Run(version, func(t *testing.T) {
			c := startCluster(t, ClusterSpec{
				Version: version, Admin: &Account{AccessKey: "administrator", SecretKey: "not-secret"},
				Proxy: version == "5.3.3",
			})
			requireServes(t, c, "broker-a", true) // to the admin

			stranger := rocketmq.NewClient(rocketmq.Options{})
			defer stranger.Close()
			answer, err := stranger.Call(testContext(t), c.Brokers[0].Addr,
				&remoting.Command{Code: remoting.CodeRuntime})
			require.NoError(t, err)
			require.NotEqual(t, remoting.Success, answer.Code)
		})
	}
}
