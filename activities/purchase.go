package activities

import (
	"context"
	"sync/atomic"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/instance"
)

// PurchaseResult is the target as it runs.
type PurchaseResult = api.Instance

// Purchase provides the target.
type Purchase struct{ settings Settings }

// NewPurchase returns the activities of Purchase.
func NewPurchase(s Settings) *Purchase { return &Purchase{s.withDefaults()} }

// Purchase buys, starts or finds the plan's target and returns when it serves. A repeated call
// gives the same one. One that it starts here is configured as the source's brokers are, as far as
// applications depend on it.
func (p *Purchase) Purchase(ctx context.Context, r Request) (_ PurchaseResult, err error) {
	defer explained(&err)
	want := r.Plan.WithDefaults()
	provider, err := instance.For(want, p.settings.Root, p.settings.Secrets)
	if err != nil {
		return PurchaseResult{}, fault.Invalid("target.provider %q: %v", want.Target.Provider, err)
	}
	if local, is := provider.(instance.Local); is {
		local.Settings = func(ctx context.Context) (map[string]string, error) {
			source, err := p.settings.clusters().Source(want)
			if err != nil {
				return nil, err
			}
			return metadata.LikeSource(ctx, source)
		}
		provider = local
	}
	var doing atomic.Value
	doing.Store("starting the target")
	if cloud, is := provider.(instance.Aliyun); is {
		cloud.Said = func(text string) { doing.Store(text) }
		provider = cloud
	}
	stop := beating(ctx, doing.Load)
	defer stop()
	is, err := provider.Purchase(ctx, want)
	if denied := fault.Denial(err); denied != nil {
		return PurchaseResult{}, denied
	}
	return is, err
}

// Price says what the plan's target costs, or why that isn't known, in words.
func (p *Purchase) Price(ctx context.Context, r Request) (_ string, err error) {
	defer explained(&err)
	want := r.Plan.WithDefaults()
	provider, err := instance.For(want, p.settings.Root, p.settings.Secrets)
	if err != nil {
		return "", fault.Invalid("target.provider %q: %v", want.Target.Provider, err)
	}
	cloud, is := provider.(instance.Aliyun)
	if !is {
		return "nothing", nil
	}
	return cloud.Price(ctx, want), nil
}

// Describe says where the target is; it never starts one.
func (p *Purchase) Describe(ctx context.Context, r Request) (_ PurchaseResult, err error) {
	defer explained(&err)
	want := r.Plan.WithDefaults()
	found, there, err := p.settings.clusters().Describe(ctx, want)
	if err != nil {
		return PurchaseResult{}, err
	}
	if !there {
		return PurchaseResult{}, connect.Absent(want)
	}
	return found, nil
}
