package aliyun

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"golang.org/x/time/rate"

	"rocketshift/plan"
)

// service is a product with an API.
type service string

const (
	rocketMQ service = "rocketmq"
	vpc      service = "vpc"
	ecs      service = "ecs"
	bss      service = "bss"
)

func (s service) version() string {
	return map[service]string{rocketMQ: "2022-08-01", vpc: "2016-04-28", ecs: "2014-05-26", bss: "2017-12-14"}[s]
}

// host is named here, as the SDK's own tables lack regions.
func (s service) host(region, site string) string {
	switch {
	case s == bss && site == plan.SiteInternational:
		return "business.ap-southeast-1.aliyuncs.com"
	case s == bss:
		return "business.aliyuncs.com"
	default:
		return string(s) + "." + region + ".aliyuncs.com"
	}
}

// Hosts are those that get calls signed with the keys of an account.
func Hosts(region, site string) []string {
	var all []string
	for _, s := range []service{rocketMQ, vpc, ecs, bss} {
		all = append(all, s.host(region, site))
	}
	return all
}

// api is one call that the code makes.
type api struct {
	service service
	action  string
	method  string
	path    string     // empty: all is in the query
	right   string     // the RAM action that it needs
	write   bool       // it is never repeated blindly
	why     string     // for people who grant rights
	limit   rate.Limit // calls a second
}

// The limits of these calls aren't documented. These are far below those of the older API (10 to 50
// a second), and far more than a purchase needs.
const (
	readsPerSecond  rate.Limit = 5
	writesPerSecond rate.Limit = 1
)

var (
	createInstance = api{
		rocketMQ, "CreateInstance", http.MethodPost, "/instances", "rocketmq:CreateInstance", true,
		"buys the instance", writesPerSecond,
	}
	listInstances = api{
		rocketMQ, "ListInstances", http.MethodGet, "/instances", "rocketmq:ListInstances", false,
		"finds what the migration has bought already, by its tags", readsPerSecond,
	}
	getInstance = api{
		rocketMQ, "GetInstance", http.MethodGet, "/instances/{}", "rocketmq:GetInstance", false,
		"waits until it runs, and reads its endpoint", readsPerSecond,
	}
	describeVPCs = api{
		vpc, "DescribeVpcs", http.MethodPost, "", "vpc:DescribeVpcs", false,
		"checks the network before the purchase", readsPerSecond,
	}
	describeVSwitches = api{
		vpc, "DescribeVSwitches", http.MethodPost, "", "vpc:DescribeVSwitches", false,
		"checks the network before the purchase", readsPerSecond,
	}
	describeSecurityGroups = api{
		ecs, "DescribeSecurityGroups", http.MethodPost, "", "ecs:DescribeSecurityGroups", false,
		"checks the security group, if the plan names one", readsPerSecond,
	}
	describePricingModule = api{
		bss, "DescribePricingModule", http.MethodPost, "", "bss:DescribePrice", false,
		"shows the price in the approval; without it, the price is unknown", readsPerSecond,
	}
	getPayAsYouGoPrice = api{
		bss, "GetPayAsYouGoPrice", http.MethodPost, "", "bss:DescribePrice", false,
		"shows the price in the approval; without it, the price is unknown", readsPerSecond,
	}
	getSubscriptionPrice = api{
		bss, "GetSubscriptionPrice", http.MethodPost, "", "bss:DescribePrice", false,
		"shows the price in the approval; without it, the price is unknown", readsPerSecond,
	}
)

// apis are all calls that the code makes.
var apis = []api{
	createInstance, listInstances, getInstance, describeVPCs, describeVSwitches, describeSecurityGroups,
	describePricingModule, getPayAsYouGoPrice, getSubscriptionPrice,
}

// Right is a RAM action that keys need.
type Right struct{ Action, Why string }

// Rights are the RAM actions of all calls that the code makes.
func Rights() []Right {
	var all []Right
	for _, a := range apis {
		right := Right{a.right, a.why}
		if !slices.Contains(all, right) {
			all = append(all, right)
		}
	}
	return all
}

// Policy is a RAM policy with these rights.
func Policy() string {
	var actions []string
	for _, right := range Rights() {
		if !slices.Contains(actions, right.Action) {
			actions = append(actions, right.Action)
		}
	}
	policy, err := json.MarshalIndent(map[string]any{
		"Version":   "1",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}},
	}, "", "  ")
	if err != nil { // texts always marshal
		panic("aliyun: " + err.Error())
	}
	return string(policy)
}

type limiter = *rate.Limiter

// wait lets a call go when it is within the limit of its API.
func (l *limits) wait(ctx context.Context, host string, a api) error {
	if l.unlimited {
		return nil
	}
	l.mu.Lock()
	key := host + " " + a.action
	if l.by[key] == nil {
		l.by[key] = rate.NewLimiter(a.limit, max(1, int(a.limit)))
	}
	one := l.by[key]
	l.mu.Unlock()
	return one.Wait(ctx)
}
