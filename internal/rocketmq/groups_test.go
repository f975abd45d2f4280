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
	// Ordinals as MQVersion of 5.5.0 has them. Name servers tell no more than that of their version.
	for ordinal, release := range map[int]string{
		273: "4.3.0", 293: "4.4.0", 313: "4.5.0", 317: "4.5.2", 333: "4.6.0", 335: "4.6.1", 353: "4.7.0", 355: "4.7.1",
		407: "4.9.7", 479: "5.3.3", 513: "5.5.0",
	} {
		require.Equal(t, release, VersionName(ordinal))
	}
	require.Equal(t, "#9999", VersionName(9999))
	require.Equal(t, "CODE_4242", remoting.CodeName(4242))
}
