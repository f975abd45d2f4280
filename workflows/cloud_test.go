package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

func TestPurchaseAtTheCloudShowsThePriceBeforeTheMoney(t *testing.T) {
	s := newTheatre(t)
	paid := false
	s.OnActivity("Price", anything, anything).Return("1.75 CNY per hour", nil)
	s.OnActivity("Purchase", anything, anything).
		Return(func(context.Context, activities.Request) (activities.PurchaseResult, error) {
			paid = true
			return activities.PurchaseResult{Provider: plan.ProviderAliyun, Version: "5.x"}, nil
		})
	p := testPlan(t, func(p *plan.Plan) {
		p.Approvals = []plan.Gate{plan.GatePurchase}
		p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{"127.0.0.1:2"}}
		p.Target = plan.Target{Provider: plan.ProviderAliyun, Aliyun: &plan.Aliyun{
			Region: "cn-hangzhou", Specification: "rmq.s2.2xlarge", VPC: "vpc-1", VSwitches: []string{"vsw-1"},
		}}
	})
	s.RegisterDelayedCallback(func() {
		waits := s.statusNow(t).Waiting
		require.Len(t, waits, 1)
		require.Equal(t, "buy at ApsaraMQ: standard cluster_ha rmq.s2.2xlarge in cn-hangzhou, pay-as-you-go; "+
			"price: 1.75 CNY per hour", waits[0].Text)
		require.False(t, paid, "nothing is bought before the approval")
		s.SignalWorkflow(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, time.Second)
	s.ExecuteWorkflow(api.PurchaseType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.True(t, paid)
}
