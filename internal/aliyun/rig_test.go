package aliyun

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/apsara"
	"rocketshift/plan"
)

const (
	keyID     = "LTAIlabKeyOfTheTests"
	keySecret = "secret-that-nobody-may-see"
	keyToken  = "token-that-nobody-may-see"
)

// rig is a simulated cloud and a client of it.
type rig struct {
	*Client
	cloud *apsara.Cloud
	at    string
	// callTime is short only where the cloud is told to be slow: machines that test are slow too.
	callTime time.Duration
}

func newRig(t *testing.T, o apsara.Options) rig {
	t.Helper()
	o.Keys = map[string]string{keyID: keySecret}
	o.Tokens = map[string]string{keyID: keyToken}
	cloud := apsara.New(o)
	server := httptest.NewServer(cloud)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, cloud.Close())
	})
	r := rig{cloud: cloud, at: server.URL, callTime: time.Minute}
	r.Client = r.another(t)
	return r
}

// another is the client of another worker.
func (r rig) another(t *testing.T) *Client {
	t.Helper()
	c, err := New(Options{
		Region: "cn-hangzhou", Site: plan.SiteChina, At: r.at, CallTime: r.callTime,
		Pause: time.Millisecond, Look: time.Millisecond, Unseen: 50 * time.Millisecond,
		Keys: func(context.Context) (Keys, error) { return Keys{keyID, keySecret, keyToken}, nil },
	})
	require.NoError(t, err)
	c.limits = &limits{by: map[string]limiter{}, unlimited: true}
	return c
}

func order() Order {
	return Order{Migration: "orders", Instance: plan.Aliyun{
		Region: "cn-hangzhou", Site: plan.SiteChina, Series: plan.SeriesStandard, Edition: plan.EditionCluster,
		Specification: "rmq.s2.2xlarge", Payment: plan.PayAsYouGo, Retention: 72,
		VPC: "vpc-lab", VSwitches: []string{"vsw-lab-a"}, SecurityGroup: "sg-lab",
	}}
}

func quiet(string) {}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a guard
	t.Cleanup(cancel)
	return ctx
}
