package apsara

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// States of an instance.
const (
	creating = "CREATING"
	running  = "RUNNING"
	released = "RELEASED"
)

// instance is one that was bought.
type instance struct {
	id      string
	order   order
	status  string
	began   time.Time
	serving Serving
	failed  string // why its servers didn't start
}

// given is the instance that a client token stands for.
type given struct {
	id   string
	body string // of the request; the same token with another one is refused
	at   time.Time
}

// create buys an instance, or gives the one that the client token stands for.
func (c *Cloud) create(q *request) answer {
	var o order
	if err := q.decode(&o); err != nil {
		return fail(http.StatusBadRequest, "InvalidParameter", "the body is no JSON document of CreateInstance")
	}
	if refusal, bad := o.check(c.options); bad {
		return refusal
	}
	token := q.query.Get("clientToken")
	if refusal, bad := checkToken(token); bad {
		return refusal
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, known := c.tokens[token]; known && token != "" && c.lives(before) {
		if before.body != digest(q.body) {
			return fail(http.StatusBadRequest, "IdempotentParameterMismatch",
				"The request uses the same client token as a previous, but non-identical request.")
		}
		return ok(before.id)
	}
	if c.options.Quota > 0 && c.alive() >= c.options.Quota {
		return fail(http.StatusBadRequest, "QuotaExceeded.Instance", "The quota of instances is exceeded.")
	}
	q.wrote = true
	one := c.buy(o)
	c.tokens[token] = given{one.id, digest(q.body), c.options.Now()}
	return ok(one.id)
}

func (c *Cloud) lives(g given) bool {
	return c.options.TokenLife == 0 || c.options.Now().Sub(g.at) < c.options.TokenLife
}

func (c *Cloud) alive() (n int) {
	for _, one := range c.instances {
		if one.status != released {
			n++
		}
	}
	return n
}

// buy makes an instance, whose servers start meanwhile. c.mu is held.
func (c *Cloud) buy(o order) *instance {
	c.nextID++
	one := &instance{id: fmt.Sprintf("rmq-cn-lab%05d", c.nextID), order: o, status: creating, began: c.options.Now()}
	c.instances = append(c.instances, one)
	c.work.Go(func() { c.start(one) })
	return one
}

func (c *Cloud) start(one *instance) {
	select {
	case <-time.After(c.options.Creating):
	case <-c.life.Done():
		return
	}
	serving, err := c.options.Servers.Start(c.life, one.id)
	c.mu.Lock()
	gone := one.status != creating
	switch {
	case err != nil:
		one.failed = err.Error()
	case !gone:
		one.serving, one.status = serving, running
	}
	c.mu.Unlock()
	if gone { // released before they served
		_ = c.options.Servers.Stop(one.id) // nobody waits for them
	}
}

// find returns the instance that the path names. c.mu is held.
func (c *Cloud) find(q *request) (*instance, bool) {
	i := slices.IndexFunc(c.instances, func(one *instance) bool { return one.id == q.parts[0] })
	if i < 0 || c.instances[i].status == released {
		return nil, false
	}
	return c.instances[i], true
}

func notFound() answer {
	return fail(http.StatusNotFound, "Instance.NotFound", "The instance cannot be found.")
}

func (c *Cloud) get(q *request) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, there := c.find(q)
	if !there {
		return notFound()
	}
	fields := one.listed(c.options.Region)
	fields["networkInfo"] = one.network()
	fields["accountInfo"] = map[string]any{"username": one.serving.Username}
	fields["instanceQuotas"] = []any{map[string]any{
		"quotaName": "TOPIC_COUNT", "totalCount": 1000.0, "usedCount": 0.0, "freeCount": 0.0,
	}}
	fields["errorMessage"] = one.failed // the lab's own, for people who look
	return ok(fields)
}

// listed is what lists tell of the instance.
func (i *instance) listed(region string) map[string]any {
	return map[string]any{
		"instanceId": i.id, "instanceName": i.order.InstanceName, "regionId": region, "status": i.status,
		"serviceCode": "rmq", "seriesCode": i.order.SeriesCode, "subSeriesCode": i.order.SubSeriesCode,
		"paymentType": i.order.PaymentType, "commodityCode": i.order.CommodityCode, "remark": i.order.Remark,
		"createTime": i.began.Format(time.DateTime), "productInfo": i.order.ProductInfo, "tags": i.order.Tags,
		"resourceGroupId": i.order.ResourceGroupID, "topicCount": 0, "groupCount": 0,
		"software": map[string]any{"softwareVersion": "5.0-rmq-lab"},
	}
}

func (i *instance) network() map[string]any {
	endpoints := []any{}
	if i.status == running {
		endpoints = append(endpoints, map[string]any{"endpointType": "TCP_VPC", "endpointUrl": i.serving.Endpoint})
	}
	return map[string]any{
		"vpcInfo": i.order.NetworkInfo.VPCInfo, "internetInfo": i.order.NetworkInfo.InternetInfo, "endpoints": endpoints,
	}
}

// list answers instances, those of all given tags only.
func (c *Cloud) list(q *request) answer {
	var wanted []tag
	if text := q.query.Get("tags"); text != "" {
		if json.Unmarshal([]byte(text), &wanted) != nil {
			return invalid("tags", text)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := []any{}
	for _, one := range c.instances {
		late := c.options.TagsLate && len(wanted) > 0 && one.status == creating
		if one.status != released && one.order.has(wanted) && !late {
			found = append(found, one.listed(c.options.Region))
		}
	}
	page, size := number(q.query.Get("pageNumber"), 1, 100_000_000), number(q.query.Get("pageSize"), 10, 200)
	from := min((page-1)*size, len(found))
	return ok(map[string]any{
		"pageNumber": page, "pageSize": size, "totalCount": len(found),
		"list": found[from:min(from+size, len(found))],
	})
}

// number is clamped, as the API does.
func number(text string, least, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return least
	}
	return max(least, min(n, most))
}

// Release ends an instance as its owner does in the console.
func (c *Cloud) Release(id string) error {
	if a := c.remove(&request{parts: []string{id}}); a.code != "" {
		return fmt.Errorf("release instance %s: %s: %s", id, a.code, a.message)
	}
	return nil
}

func (c *Cloud) remove(q *request) answer {
	c.mu.Lock()
	one, there := c.find(q)
	if !there {
		c.mu.Unlock()
		return notFound()
	}
	if one.order.PaymentType != payAsYouGo {
		c.mu.Unlock()
		return fail(http.StatusBadRequest, "InvalidPaymentType", "only pay-as-you-go instances can be deleted")
	}
	one.status, q.wrote = released, true
	c.mu.Unlock()
	if err := c.options.Servers.Stop(one.id); err != nil {
		return fail(http.StatusInternalServerError, "InternalError", err.Error())
	}
	return ok(true)
}
