package gateway

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/replicas"
)

func TestRoutesNameTheGatewaysPorts(t *testing.T) {
	known := map[string]string{"10.0.0.1:10911": "gw:1", "10.0.0.2:10911": "gw:2", "10.0.0.3:10911": "gw:3"}
	for name, c := range map[string]struct{ body, want, unknown string }{
		"keys without quotes": {
			body: `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"broker-a"},{"brokerAddrs":{0:"10.0.0.3:10911"}}],"queueDatas":[]}`,
			want: `{"brokerDatas":[{"brokerAddrs":{0:"gw:1",1:"gw:2"},"brokerName":"broker-a"},{"brokerAddrs":{0:"gw:3"}}],"queueDatas":[]}`,
		},
		"standard JSON":      {body: `{"brokerAddrs":{"0":"10.0.0.1:10911"}}`, want: `{"brokerAddrs":{"0":"gw:1"}}`},
		"no brokers":         {body: `{"topicList":["10.0.0.1:10911"]}`, want: `{"topicList":["10.0.0.1:10911"]}`},
		"an empty list":      {body: `{"brokerAddrs":{}}`, want: `{"brokerAddrs":{}}`},
		"a broker that came": {body: `{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.9:10911"}}`, unknown: "10.0.0.9:10911"},
		"without an end":     {body: `{"brokerAddrs":{"0":"10.0.0.1:10911"`, unknown: bodies.NoRoute},
	} {
		got, unknown := bodies.TranslateRoute([]byte(c.body), known)
		assert.Equal(t, c.want, string(got), name)
		assert.Equal(t, c.unknown, unknown, name)
	}
}

func FuzzTranslateRoute(f *testing.F) {
	f.Add([]byte(`{"brokerDatas":[{"brokerAddrs":{0:"a:1",1:"b:1"}}]}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _ = bodies.TranslateRoute(body, map[string]string{"a:1": "g:1"})
	})
}

func TestOffsetsCarryTheirBroker(t *testing.T) {
	for number := range replicas.MostTargets {
		got, real := replicas.Untag(replicas.TagOf(number) | 123_456_789)
		assert.Equal(t, number, got)
		assert.EqualValues(t, 123_456_789, real)
	}
	got, real := replicas.Untag(1<<replicas.TagBits - 1)
	assert.Equal(t, -1, got, "no tag: of the source")
	assert.EqualValues(t, 1<<replicas.TagBits-1, real)
}

// An id that a target broker gives has its tag, and says where the gateway is, for messages of
// both IP versions.
func TestMessageIDsSayTheGatewaysAddress(t *testing.T) {
	four := netip.MustParseAddrPort("127.0.0.1:30001")
	six := netip.MustParseAddrPort("[fd00::9]:30001")
	const host6 = "FD0000000000000000000000000000010000"
	for _, c := range []struct {
		at            netip.AddrPort
		before, after string
	}{
		{four, "0A000001000029AF00000000000004D2", "7F0000010000753102000000000004D2"},
		{four, "0a000001000029af00000000000004d2", "7F0000010000753102000000000004D2"},
		{six, "0A000001000029AF00000000000004D2", "0A000001000029AF02000000000004D2"},
		{netip.AddrPort{}, "0A000001000029AF00000000000004D2", "0A000001000029AF02000000000004D2"},
		{six, host6 + "29AF00000000000004D2", "FD00000000000000000000000000000900007531" + "02000000000004D2"},
		{four, host6 + "29AF00000000000004D2", host6 + "29AF02000000000004D2"},
		{four, "no-id", "no-id"},
		{four, "", ""},
		{four, "0A000001000029AF000000000000x4D2", "0A000001000029AF000000000000x4D2"},
	} {
		id := []byte(c.before)
		tellID(id, replicas.TagOf(1), c.at)
		assert.Equal(t, c.after, string(id), "%s at %s", c.before, c.at)
	}
}
