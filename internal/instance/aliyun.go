package instance

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/aliyun"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// Aliyun buys an instance of ApsaraMQ for RocketMQ 5.x.
type Aliyun struct {
	// Secrets allow the cloud's hosts.
	Secrets *secrets.Store
	// Said, if given, hears what is waited for.
	Said func(string)
	// pause and look are short in tests.
	pause, look time.Duration
}

// chain are the process's: they are found once, and renewed.
var chain = sync.OnceValue(aliyun.NewChain)

func (a Aliyun) client(p plan.Plan) (*aliyun.Client, aliyun.Order, error) {
	order := aliyun.Order{Migration: p.Name, Instance: *p.Target.Aliyun}
	host := aliyun.Hosts(order.Instance.Region, order.Instance.Site)[0]
	at, err := a.Secrets.CloudAddress(host)
	if err != nil {
		return nil, order, err
	}
	client, err := aliyun.New(aliyun.Options{
		Region: order.Instance.Region, Site: order.Instance.Site, At: at, Keys: chain().Keys,
		Pause: a.pause, Look: a.look,
	})
	return client, order, err
}

// Describe returns the migration's instance, and whether it runs.
func (a Aliyun) Describe(ctx context.Context, p plan.Plan) (api.Instance, bool, error) {
	client, order, err := a.client(p.WithDefaults())
	if err != nil {
		return api.Instance{}, false, err
	}
	found, there, err := client.Find(ctx, order)
	if err != nil || !there {
		return api.Instance{Provider: plan.ProviderAliyun, Name: p.Name}, false, told(p, err)
	}
	is, err := client.Get(ctx, found.ID)
	return bought(is), is.Endpoint != "", told(p, err)
}

// Purchase buys the migration's instance, unless there is one, and returns when it runs.
func (a Aliyun) Purchase(ctx context.Context, p plan.Plan) (api.Instance, error) {
	client, order, err := a.client(p.WithDefaults())
	if err != nil {
		return api.Instance{}, err
	}
	said := a.Said
	if said == nil {
		said = func(string) {}
	}
	is, err := client.Buy(ctx, order, said)
	if err != nil {
		return api.Instance{}, told(p, err)
	}
	return bought(is), nil
}

// Price is what the plan's instance costs, or why that isn't known, in words.
func (a Aliyun) Price(ctx context.Context, p plan.Plan) string {
	client, order, err := a.client(p.WithDefaults())
	if err != nil {
		return "unknown: " + err.Error()
	}
	return client.Price(ctx, order)
}

func told(p plan.Plan, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("instance of migration %s at aliyun: %w", p.Name, err)
}

// bought is an instance as others see it: its only address is that of its proxy, which doesn't tell
// the brokers' version.
func bought(is aliyun.Instance) api.Instance {
	return api.Instance{
		Provider: plan.ProviderAliyun, Name: is.ID, NameServers: []string{is.Endpoint}, ProxyGRPC: is.Endpoint,
		Version: "5.x", Cluster: is.ID,
	}
}
