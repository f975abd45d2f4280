package plan

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bought is a plan that buys, with every key that must be there, and some more.
func bought(t *testing.T, aliyun string) string {
	t.Helper()
	doc := map[string]any{
		"name":    "orders",
		"source":  map[string]any{"nameServers": []string{"a:1"}},
		"target":  map[string]any{"provider": "aliyun", "aliyun": json.RawMessage(aliyun)},
		"traffic": map[string]any{"mode": "gateway", "gateways": []string{"g:1"}},
	}
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(b)
}

const (
	cluster    = `{"region":"cn-hangzhou","specification":"rmq.s2.2xlarge","vpc":"vpc-1","vSwitches":["vsw-1"]}`
	serverless = `{"region":"ap-southeast-1","site":"international","edition":"serverless","vpc":"vpc-1",
		"vSwitches":["vsw-1","vsw-2"],"securityGroup":"sg-1","resourceGroup":"rg-1","retention":24}`
	subscribed = `{"region":"cn-hangzhou","series":"ultimate","specification":"rmq.u2.10xlarge","payment":"Subscription",
		"months":12,"vpc":"vpc-1","vSwitches":["vsw-1"]}`
)

func TestAnInstanceThatIsBoughtHasItsDefaultsAndItsCode(t *testing.T) {
	for _, c := range []struct{ aliyun, commodity, told string }{
		{cluster, "ons_rmqpost_public_cn", "standard cluster_ha rmq.s2.2xlarge in cn-hangzhou, pay-as-you-go"},
		{serverless, "ons_rmqsrvlesspost_public_intl", "standard serverless in ap-southeast-1, pay-as-you-go"},
		{
			subscribed, "ons_rmqsub_public_cn",
			"ultimate cluster_ha rmq.u2.10xlarge in cn-hangzhou, subscription for 12 months, which can't be given back",
		},
	} {
		p := mustParse(t, bought(t, c.aliyun))
		a := p.WithDefaults().Target.Aliyun
		assert.Equal(t, c.commodity, a.Commodity())
		assert.Equal(t, c.told, a.Told())
		assert.Contains(t, []time.Duration{24 * time.Hour, 72 * time.Hour}, a.Kept())
		assert.True(t, p.Target.Proxied())
		b, err := json.Marshal(p.Normal())
		require.NoError(t, err)
		var read Plan
		require.NoError(t, json.Unmarshal(b, &read))
		assert.Equal(t, p.Normal(), read)
	}
}

func TestWhatCannotBeBoughtIsRefusedBeforeTheMoney(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"region", `"Hangzhou"`, `target.aliyun.region: "Hangzhou"; want the id of a region, such as cn-hangzhou`},
		{"region", `"cn.evil/x"`, "target.aliyun.region"},
		{"site", `"moon"`, `target.aliyun.site: "moon"; allowed: china, international`},
		{"series", `"best"`, "target.aliyun.series: \"best\"; allowed: standard, professional, ultimate"},
		{"edition", `"two"`, "target.aliyun.edition: \"two\"; allowed: cluster_ha, single_node, serverless"},
		{"specification", `""`, "target.aliyun.specification: missing"},
		{"specification", `"a b"`, `target.aliyun.specification: "a b"; want an id`},
		{"payment", `"Never"`, `target.aliyun.payment: "Never"; allowed: PayAsYouGo, Subscription`},
		{"payment", `"Subscription"`, "target.aliyun.months: 0; want 1 to 6, 12, 24 or 36"},
		{"months", `1`, "target.aliyun.months: only a subscription has them"},
		{"retention", `23`, "target.aliyun.retention"},
		{"retention", `721`, "target.aliyun.retention"},
		{"vpc", `""`, "target.aliyun.vpc: missing"},
		{"vSwitches", `[]`, "target.aliyun.vSwitches: 0 are given; want at least 1"},
		{"vSwitches", `["a1","a1"]`, `target.aliyun.vSwitches[1]: "a1" is there twice`},
		{"vSwitches", `["a b"]`, `target.aliyun.vSwitches[0]: "a b"; want an id`},
		{"securityGroup", `"$"`, "target.aliyun.securityGroup"},
		{"spec", `"x"`, "target.aliyun.spec: unknown key"},
	} {
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(cluster), &members))
		members[c.key] = json.RawMessage(c.value)
		text, err := json.Marshal(members)
		require.NoError(t, err)
		_, err = Parse([]byte(bought(t, string(text))))
		require.ErrorContains(t, err, c.want, "%s: %s", c.key, c.value)
	}
	for text, want := range map[string]string{
		`{"region":"cn-a","series":"ultimate","edition":"single_node","specification":"s1","vpc":"v1","vSwitches":["a1"]}`: "series ultimate has edition cluster_ha only",
		`{"region":"cn-a","edition":"serverless","vpc":"v1","vSwitches":["a1"]}`:                                           "1 are given; want at least 2",
		`{"region":"cn-a","edition":"serverless","payment":"Subscription","months":1,"vpc":"v1","vSwitches":["a1","a2"]}`:  "serverless instances are paid as they are used",
		`{"region":"cn-a","specification":"s1","payment":"Subscription","months":7,"vpc":"v1","vSwitches":["a1"]}`:         "7; want 1 to 6, 12, 24 or 36",
		`{"region":"cn-a","specification":"s1","payment":"Subscription","months":48,"vpc":"v1","vSwitches":["a1"]}`:        "48; want 1 to 6, 12, 24 or 36",
	} {
		_, err := Parse([]byte(bought(t, text)))
		require.ErrorContains(t, err, want)
	}
}

func TestAPurchaseThatNobodyApprovesIsRefused(t *testing.T) {
	_, err := Parse([]byte(edited(t, "approvals", `["shift"]`)))
	require.NoError(t, err, "a local target costs nothing")
	p := mustParse(t, bought(t, cluster))
	p.Approvals = []Gate{GateShift}
	require.ErrorContains(t, p.Validate(), "approvals: provider aliyun costs money, and purchase isn't among them")
}

func TestKeysOfOtherProvidersAreRefused(t *testing.T) {
	p := mustParse(t, bought(t, cluster))
	p.Target.NameServers, p.Target.Proxy, p.Target.Version, p.Target.Brokers = []string{"b:1"}, "b:2", "5.3.3", 1
	p.Target.Advertised = map[string]string{"a:1": "b:1"}
	for _, key := range []string{"nameServers", "proxy", "addresses", "version", "brokers"} {
		require.ErrorContains(t, p.Validate(), "target."+key+": an instance that is bought has its own")
	}
	p = mustParse(t, bought(t, cluster))
	p.Traffic = Traffic{Mode: ModeRelease}
	require.ErrorContains(t, p.Validate(), "traffic.mode: release; of an instance of provider aliyun only a proxy")
	p = mustParse(t, bought(t, cluster))
	p.Users = &Users{}
	require.ErrorContains(t, p.Validate(), "users: of an instance of provider aliyun only a proxy can be reached")
	p = mustParse(t, smallest)
	p.Target.Aliyun = &Aliyun{}
	require.ErrorContains(t, p.Validate(), "target.aliyun: only provider aliyun buys")
}
