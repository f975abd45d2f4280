package aliyun

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/apsara"
	"rocketshift/plan"
)

func TestAnInstanceIsBoughtOnceAndWaitedFor(t *testing.T) {
	r := newRig(t, apsara.Options{Creating: 20 * time.Millisecond})
	var said []string
	is, err := r.Buy(within(t), order(), func(text string) { said = append(said, text) })
	require.NoError(t, err)
	require.Equal(t, "RUNNING", is.Status)
	require.Equal(t, is.ID+"-vpc.rmq.invalid:8080", is.Endpoint)
	require.Equal(t, []string{is.ID}, r.cloud.Instances())
	require.Contains(t, said, "buys standard cluster_ha rmq.s2.2xlarge in cn-hangzhou, pay-as-you-go")
	require.Contains(t, fmt.Sprint(said), "instance "+is.ID+" is CREATING, after ")

	again, err := r.another(t).Buy(within(t), order(), quiet)
	require.NoError(t, err)
	require.Equal(t, is, again)
	require.Equal(t, 1, r.cloud.Count("CreateInstance"), "what is there isn't bought again")
}

func TestEveryEditionAndPaymentIsTakenByTheCloud(t *testing.T) {
	for name, change := range map[string]func(*plan.Aliyun){
		"cluster": func(*plan.Aliyun) {},
		"single":  func(a *plan.Aliyun) { a.Edition, a.Specification = plan.EditionSingle, "rmq.s1.micro" },
		"serverless": func(a *plan.Aliyun) {
			a.Edition, a.Specification, a.VSwitches = plan.EditionServerless, "", []string{"vsw-lab-a", "vsw-lab-b"}
		},
		"months":        func(a *plan.Aliyun) { a.Payment, a.Months = plan.Subscription, 3 },
		"years":         func(a *plan.Aliyun) { a.Payment, a.Months = plan.Subscription, 24 },
		"international": func(a *plan.Aliyun) { a.Site, a.ResourceGroup = plan.SiteInternational, "rg-1" },
		"ultimate":      func(a *plan.Aliyun) { a.Series, a.Specification = plan.SeriesUltimate, "rmq.u2.10xlarge" },
		"without group": func(a *plan.Aliyun) { a.SecurityGroup = "" },
	} {
		t.Run(name, func(t *testing.T) {
			r, o := newRig(t, apsara.Options{}), order()
			change(&o.Instance)
			_, err := r.Buy(within(t), o, quiet)
			require.NoError(t, err)
			require.Len(t, r.cloud.Instances(), 1)
		})
	}
}

func TestWorkersThatBuyAtOnceGetTheSameInstance(t *testing.T) {
	r := newRig(t, apsara.Options{Creating: 5 * time.Millisecond, TagsLate: true})
	var got [4]Instance
	var errs [4]error
	var workers sync.WaitGroup
	for i := range got {
		c := r.another(t)
		workers.Go(func() { got[i], errs[i] = c.Buy(within(t), order(), quiet) })
	}
	workers.Wait()
	for i := range got {
		require.NoError(t, errs[i])
		require.Equal(t, got[0], got[i])
	}
	require.Len(t, r.cloud.Instances(), 1)
}

// callsOf is how many calls a purchase makes that nothing disturbs.
func callsOf(t *testing.T) int {
	t.Helper()
	r := newRig(t, apsara.Options{})
	_, err := r.Buy(within(t), order(), quiet)
	require.NoError(t, err)
	n := len(r.cloud.Calls())
	require.GreaterOrEqual(t, n, 6, "a list, three of the network, the purchase, a look")
	return n
}

// Each way to misbehave happens at each call of a purchase, once, and for ever from then on until
// the purchase gives up. Afterwards the cloud is well again, and the same purchase is made once
// more.
func TestEveryMisbehaviourAtEveryCallGivesOneInstance(t *testing.T) {
	calls := callsOf(t)
	for _, late := range []bool{false, true} {
		for _, fault := range apsara.Faults() {
			for at := 1; at <= calls; at++ {
				for _, lasting := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s at %d, lasting %v, tags late %v", fault, at, lasting, late), func(t *testing.T) {
						t.Parallel()
						disturbed(t, fault, at, lasting, late)
					})
				}
			}
		}
	}
}

func disturbed(t *testing.T, fault apsara.Fault, at int, lasting, late bool) {
	t.Helper()
	r := newRig(t, apsara.Options{TagsLate: late, Creating: 2 * time.Millisecond})
	if fault == apsara.AfterSlow {
		r.callTime = 20 * time.Millisecond
		r.Client = r.another(t)
		r.callTime = time.Minute
	}
	var all []apsara.Misbehaviour
	for n := at; n == at || lasting && n < at+40; n++ {
		all = append(all, apsara.Misbehaviour{Fault: fault, Call: n})
	}
	r.cloud.Misbehave(all...)
	_, err := r.Buy(within(t), order(), quiet)
	requireHidden(t, err)
	require.LessOrEqual(t, len(r.cloud.Instances()), 1)
	passes := map[apsara.Fault]bool{apsara.OverQuota: true, apsara.Denied: true, apsara.Echo: true}
	if !lasting && !passes[fault] && fault != apsara.AfterSlow { // a slow machine makes all calls slow
		require.NoError(t, err, "what passes is waited for")
	}
	if passes[fault] {
		require.Error(t, err, "what a person must mend is told")
	}

	r.cloud.Misbehave()
	is, err := r.another(t).Buy(within(t), order(), quiet)
	require.NoError(t, err)
	require.Equal(t, []string{is.ID}, r.cloud.Instances(), "one instance")
}

func requireHidden(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{keyID, keySecret, keyToken} {
		assert.NotContains(t, err.Error(), secret)
	}
	assert.NotContains(t, err.Error(), "\n")
	assert.Less(t, len(err.Error()), 2000)
}

// The worker is killed before and after each call of a purchase; another one begins again.
func TestAPurchaseThatIsKilledBetweenAnyTwoCallsIsOneInstance(t *testing.T) {
	for _, late := range []bool{false, true} {
		for at := 1; at <= callsOf(t)+1; at++ {
			for _, fault := range []apsara.Fault{apsara.Cut, apsara.AfterLost} { // before the deed, and after it
				t.Run(fmt.Sprintf("%s at %d, tags late %v", fault, at, late), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, apsara.Options{TagsLate: late, Creating: 2 * time.Millisecond})
					ctx, kill := context.WithCancel(within(t))
					defer kill()
					r.cloud.Misbehave(apsara.Misbehaviour{Fault: fault, Call: at, Then: kill})
					_, err := r.Buy(ctx, order(), quiet)
					requireHidden(t, err)

					is, err := r.another(t).Buy(within(t), order(), quiet)
					require.NoError(t, err)
					require.Equal(t, []string{is.ID}, r.cloud.Instances())
				})
			}
		}
	}
}

func TestATokenThatHasExpiredIsNotNeededWhereTheTagIsFound(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	r := newRig(t, apsara.Options{TokenLife: time.Minute, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	first, err := r.Buy(within(t), order(), quiet)
	require.NoError(t, err)
	mu.Lock()
	now = now.Add(10 * time.Minute) // the signature's date is within its limits
	mu.Unlock()
	again, err := r.Buy(within(t), order(), quiet)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Len(t, r.cloud.Instances(), 1)
}

func TestAnInstanceOfAnotherPlanIsNotTaken(t *testing.T) {
	r := newRig(t, apsara.Options{})
	is, err := r.Buy(within(t), order(), quiet)
	require.NoError(t, err)
	other := order()
	other.Instance.Retention = 24
	_, err = r.Buy(within(t), other, quiet)
	require.ErrorContains(t, err, "instance "+is.ID+" has the tag rocketshift-migration=orders, but was bought by another plan")
	other.Migration = "bills"
	_, err = r.Buy(within(t), other, quiet)
	require.NoError(t, err)
	require.Len(t, r.cloud.Instances(), 2)
}

func TestTheNetworkIsCheckedBeforeTheMoney(t *testing.T) {
	o := apsara.Options{Networks: []apsara.Network{
		{VPC: "vpc-lab", VSwitches: []string{"vsw-lab-a"}, SecurityGroups: []string{"sg-lab"}},
		{VPC: "vpc-new", VSwitches: []string{"vsw-new"}, SecurityGroups: []string{"sg-new"}, Pending: true},
	}}
	for want, change := range map[string]func(*plan.Aliyun){
		"target.aliyun.vpc: VPC vpc-2 isn't in region cn-hangzhou": func(a *plan.Aliyun) { a.VPC = "vpc-2" },
		"target.aliyun.vpc: VPC vpc-new is Pending":                func(a *plan.Aliyun) { a.VPC = "vpc-new" },
		"target.aliyun.vSwitches[1]: vSwitch vsw-new isn't in VPC vpc-lab": func(a *plan.Aliyun) {
			a.VSwitches = []string{"vsw-lab-a", "vsw-new"}
		},
		"target.aliyun.securityGroup: security group sg-new isn't in VPC vpc-lab": func(a *plan.Aliyun) {
			a.SecurityGroup = "sg-new"
		},
	} {
		r, bad := newRig(t, o), order()
		change(&bad.Instance)
		_, err := r.Buy(within(t), bad, quiet)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "nothing was bought")
		require.Zero(t, r.cloud.Count("CreateInstance"))
	}
}

// A caller that is gone is told so, before whichever call; the next one gets the one instance.
func TestAPurchaseWhoseCallerIsGoneSaysSoAndIsGoneOnWith(t *testing.T) {
	for gone := 1; ; gone++ {
		r := newRig(t, apsara.Options{})
		ctx, cancel := context.WithCancel(within(t))
		keys, calls := r.options.Keys, 0
		r.options.Keys = func(ctx context.Context) (Keys, error) {
			if calls++; calls == gone {
				cancel()
			}
			return keys(ctx)
		}
		_, err := r.Buy(ctx, order(), quiet)
		cancel()
		if calls < gone {
			require.NoError(t, err)
			require.Greater(t, gone, 4, "that many calls at least")
			return
		}
		require.ErrorIs(t, err, context.Canceled, "call %d", gone)
		_, err = r.another(t).Buy(within(t), order(), quiet)
		require.NoError(t, err, "call %d", gone)
		require.Len(t, r.cloud.Instances(), 1, "call %d", gone)
	}
}

// What was bought by an earlier build is found by its digest: a key that comes to the plan with a
// default has to be left out of it where it has this default.
func TestTheDigestOfWhatWasBoughtStays(t *testing.T) {
	yearly := order()
	yearly.Instance.Payment, yearly.Instance.Months = plan.Subscription, 12
	require.Equal(t, []string{"0dcdb0afb4004552", "afe1a00491867fd8"}, []string{order().digest(), yearly.digest()})
}
