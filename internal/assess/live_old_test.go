package assess

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A source of 4.5.2 with access control is assessed, though it doesn't answer what later ones do, and
// takes names that 5.x doesn't.
func TestLongAnOldSourceWithAccessControlTellsLess(t *testing.T) {
	admin := lab.Account{AccessKey: "administrator", SecretKey: "12345678"}
	c := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.5.2", Admin: &admin})
	client := rocketmq.NewClient(rocketmq.Options{
		Credentials: &remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey},
	})
	t.Cleanup(client.Close)
	require.NoError(t, client.CreateTopic(t.Context(), c.Brokers[0].Addr, rocketmq.TopicConfig{
		Name: "eu.orders", ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG",
	}))
	f := Flags{From: c.NameServers, Credentials: "OLD"}
	p, err := f.Plan()
	require.NoError(t, err)
	run, err := New(p, f, func(name string) (string, bool) {
		keys := map[string]string{"OLD_ACCESS_KEY": admin.AccessKey, "OLD_SECRET_KEY": admin.SecretKey}
		value, is := keys[name]
		return value, is
	}, t.TempDir())
	require.NoError(t, err)
	defer run.Close()
	_, report, err := run.Assess(t.Context(), time.Now, func(string) {})
	require.NoError(t, err)
	for id, says := range map[string]string{
		"acl-untold":       "source broker broker-a: has ACL 1.0, and doesn't tell its accounts; version 4.5.2 doesn't answer",
		"producers-untold": "who is connected to write isn't told by source broker broker-a",
		"topic-name":       "topic eu.orders: has a name that 5.x doesn't accept",
		"rename-map":       "eu.orders",
	} {
		assert.Contains(t, strings.Join(told(report, id), "\n"), says, id)
	}
}
