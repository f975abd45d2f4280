package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/credentials-go/credentials"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/apsara"
	"rocketshift/plan"
)

var prices = map[string]apsara.Price{
	"ons_rmqpost_public_cn": {Unit: "Hour", Amount: 1.75, Currency: "CNY"},
	"ons_rmqsub_public_cn":  {Unit: "Month", Amount: 900, Currency: "CNY"},
}

func TestThePriceIsToldOrWhyItIsUnknown(t *testing.T) {
	r := newRig(t, apsara.Options{Prices: prices})
	require.Equal(t, "1.75 CNY per hour (msgProcessSpec), as the account is charged; traffic and storage come to it",
		r.Price(within(t), order()))
	o := order()
	o.Instance.Payment, o.Instance.Months = plan.Subscription, 3
	require.Equal(t, "900 CNY for 3 months, paid at once", r.Price(within(t), o))
	o = order()
	o.Instance.Site = plan.SiteInternational
	require.Equal(t, "unknown: the account isn't of site international (target.aliyun.site), or has no prices for "+
		"ons_rmqpost_public_intl", r.Price(within(t), o))
	o = order()
	o.Instance.Specification = "rmq.s9.other"
	require.Equal(t, "unknown: no module of ons_rmqpost_public_cn's prices can be told by what is bought",
		r.Price(within(t), o))
	require.Empty(t, r.cloud.Instances())
}

// Each right that the code says it needs is needed, and no other.
func TestThePolicyIsWhatTheCallsNeed(t *testing.T) {
	var all []string
	for _, right := range Rights() {
		if !slices.Contains(all, right.Action) {
			all = append(all, right.Action)
		}
	}
	r := newRig(t, apsara.Options{Prices: prices, Rights: all})
	_, err := r.Buy(within(t), order(), quiet)
	require.NoError(t, err)
	require.Contains(t, r.Price(within(t), order()), "1.75")
	for i, right := range all {
		r := newRig(t, apsara.Options{Prices: prices, Rights: slices.Delete(slices.Clone(all), i, i+1)})
		_, err := r.Buy(within(t), order(), quiet)
		if right == "bss:DescribePrice" {
			require.NoError(t, err, "a purchase doesn't hang on the price")
			require.Contains(t, r.Price(within(t), order()), "unknown: DescribePricingModule")
			continue
		}
		var denied *Error
		require.ErrorAs(t, err, &denied)
		require.Equal(t, Denied, denied.Kind)
		require.ErrorContains(t, err, "; grant "+right+" to the user or role of the worker's keys")
		require.NotEmpty(t, denied.RequestID)
	}
}

func TestEveryErrorSaysCallCodeRequestAndWhatToDo(t *testing.T) {
	for fault, want := range map[apsara.Fault]string{
		apsara.OverQuota: "have the quota raised", apsara.Denied: "grant rocketmq:CreateInstance",
		apsara.Echo: "correct the plan", apsara.Throttled: "there were too many calls", apsara.Unsuccessful: "looked at again",
	} {
		r := newRig(t, apsara.Options{})
		r.cloud.Misbehave(apsara.Misbehaviour{Fault: fault, Action: "CreateInstance"})
		_, err := r.Buy(within(t), order(), quiet)
		requireHidden(t, err)
		var failed *Error
		require.ErrorAs(t, err, &failed)
		require.NotEmpty(t, failed.RequestID)
		require.NotEmpty(t, failed.Code)
		for _, part := range []string{"CreateInstance: ", failed.Code, "request " + failed.RequestID, want} {
			require.ErrorContains(t, err, part, fault)
		}
	}
}

func TestAnInstanceThatWasReleasedIsNotBoughtAgainSilently(t *testing.T) {
	r := newRig(t, apsara.Options{})
	is, err := r.Buy(within(t), order(), quiet)
	require.NoError(t, err)
	require.NoError(t, r.cloud.Release(is.ID))
	_, err = r.Buy(within(t), order(), quiet)
	require.ErrorContains(t, err, "instance "+is.ID+", which this migration bought, isn't there any more")
	require.Empty(t, r.cloud.Instances(), "the token stands for the one that was released")
}

func TestCallsStayWithinTheLimitOfTheirAPI(t *testing.T) {
	r := newRig(t, apsara.Options{})
	r.limits = &limits{by: map[string]limiter{}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	n := 0
	var err error
	for ; err == nil && n < 100; n++ {
		_, _, err = r.Find(ctx, order())
	}
	require.LessOrEqual(t, r.cloud.Count("ListInstances"), int(readsPerSecond)+1)
	var failed *Error
	require.ErrorAs(t, err, &failed)
}

func TestTheChainOfKeysForgetsAFailure(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	t.Setenv("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")
	t.Setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	for _, name := range []string{"ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"} {
		t.Setenv("ALIBABA_CLOUD_"+name, "")
	}
	chain := NewChain()
	_, err := chain.Keys(within(t))
	require.ErrorContains(t, err, "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keySecret)
	keys, err := chain.Keys(within(t))
	require.NoError(t, err)
	require.Equal(t, Keys{ID: keyID, Secret: keySecret}, keys)

	chain.make = func() (credentials.Credential, error) { return nil, errors.New("read " + keySecret) }
	chain.found = nil
	_, err = chain.Keys(within(t))
	require.Error(t, err)
	requireHidden(t, err)
}

func TestOnlyASimulatorIsCalledInPlainText(t *testing.T) {
	for _, at := range []string{"https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1:1/x", "ftp://a"} {
		_, err := New(Options{At: at})
		require.ErrorContains(t, err, "the cloud is simulated at http://host:port", at)
	}
	require.Equal(t, []string{
		"rocketmq.cn-hangzhou.aliyuncs.com", "vpc.cn-hangzhou.aliyuncs.com", "ecs.cn-hangzhou.aliyuncs.com",
		"business.aliyuncs.com",
	}, Hosts("cn-hangzhou", plan.SiteChina))
	require.Contains(t, Hosts("cn-hangzhou", plan.SiteInternational), "business.ap-southeast-1.aliyuncs.com")
}

// The page has the policy that the calls need.
func TestTheDocsHaveThePolicy(t *testing.T) {
	page, err := os.ReadFile("../../docs/buy-at-the-cloud.md")
	require.NoError(t, err)
	require.Contains(t, string(page), Policy(), "put this into docs/buy-at-the-cloud.md:\n%s", Policy())
	var read any
	require.NoError(t, json.Unmarshal([]byte(Policy()), &read))
	for _, right := range Rights() {
		require.True(t, strings.Contains(string(page), "| `"+right.Action+"` | "+right.Why+" |"),
			"| `%s` | %s |", right.Action, right.Why)
	}
}
