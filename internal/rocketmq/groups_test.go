package rocketmq

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

func TestGroupsKeepSettingsThatWeDoNotKnow(t *testing.T) {
	o, err := remoting.ParseObject(
		[]byte(
			`{"groupName":"g","consumeEnable":true,"retryQueueNums":1,"groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":4,"consumeMessageOrderly":true}`,
		),
	)
	require.NoError(t, err)
	g := readGroup("g", o)
	require.True(t, g.Orderly)
	require.Equal(t, map[string]any{"type": "CUSTOMIZED"}, g.extra["groupRetryPolicy"])
	require.NotContains(t, g.extra, "groupName")
}

func TestNamesOfTheSystemAreTold(t *testing.T) {
	for _, name := range []string{"TBW102", "rmq_sys_wheel_timer", "DefaultCluster", "DefaultCluster_REPLY_TOPIC", "broker-a"} {
		require.True(t, SystemTopic(name, "DefaultCluster", []string{"broker-a"}), name)
	}
	for _, name := range []string{"orders", "%RETRY%g", "Other_REPLY_TOPIC", "broker-b"} {
		require.False(t, SystemTopic(name, "DefaultCluster", []string{"broker-a"}), name)
	}
	require.True(t, SystemGroup("TOOLS_CONSUMER"))
	require.True(t, SystemGroup("CID_ONSAPI_OWNER"))
	require.False(t, SystemGroup("orders"))
	require.Equal(t, "4.9.7", VersionName(407))
	require.Equal(t, "#9999", VersionName(9999))
	require.Equal(t, "CODE_4242", remoting.CodeName(4242))
}
