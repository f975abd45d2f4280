package aliyun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rocketshift/plan"
)

const (
	// lookAgain is the pause between two looks at an instance that is made: that takes minutes.
	lookAgain = 15 * time.Second
	// unseen is how long a new instance may be unknown to the API that made it.
	unseen = 5 * time.Minute
	// purchases is how often CreateInstance is called, with the same token, when its answers are
	// lost or it is throttled.
	purchases = 6
	pageSize  = 100
	mostPages = 50
)

// Tags of what a migration buys.
const (
	TagMigration = "rocketshift-migration" // its name
	TagOrder     = "rocketshift-order"     // the digest of what was bought
)

// Order is what a migration buys.
type Order struct {
	Migration string
	Instance  plan.Aliyun // with its defaults
}

// digest is that of what is bought.
func (o Order) digest() string {
	b, err := json.Marshal(o.Instance)
	if err != nil { // texts and numbers always marshal
		panic("aliyun: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// token is the client token, the same for each try: the cloud makes one instance of it.
func (o Order) token() string {
	sum := sha256.Sum256([]byte(o.Migration + "\n" + o.digest()))
	return "rocketshift-" + hex.EncodeToString(sum[:20])
}

// Instance is one that the cloud has.
type Instance struct {
	ID       string
	Status   string
	Endpoint string // host:port of its proxy in the VPC; empty until it is RUNNING
}

const (
	running  = "RUNNING"
	released = "RELEASED"
	creating = "CREATING"
	changing = "CHANGING"
)

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// listed is an instance in a list.
type listed struct {
	InstanceID string `json:"instanceId"`
	Status     string `json:"status"`
	Tags       []tag  `json:"tags"`
}

func (l listed) tag(key string) string {
	for _, t := range l.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// Find returns the instance that the migration has bought, if there is one.
func (c *Client) Find(ctx context.Context, o Order) (Instance, bool, error) {
	found, err := c.tagged(ctx, o.Migration)
	switch {
	case err != nil:
		return Instance{}, false, err
	case len(found) == 0:
		return Instance{}, false, nil
	case len(found) > 1:
		var ids []string
		for _, one := range found {
			ids = append(ids, one.InstanceID)
		}
		return Instance{}, false, fmt.Errorf("%d instances have the tag %s=%s: %s; keep the one to use, and take the tag "+
			"from the others", len(found), TagMigration, o.Migration, strings.Join(ids, ", "))
	}
	one := found[0]
	if was := one.tag(TagOrder); was != o.digest() {
		return Instance{}, false, fmt.Errorf("instance %s has the tag %s=%s, but was bought by another plan (%s=%s, this "+
			"one's is %s): restore target.aliyun as it was, or give the migration another name",
			one.InstanceID, TagMigration, o.Migration, TagOrder, was, o.digest())
	}
	return Instance{ID: one.InstanceID, Status: one.Status}, true, nil
}

// tagged are the migration's instances that aren't released. Tags are compared here too: nothing
// says how exactly the cloud does.
func (c *Client) tagged(ctx context.Context, migration string) (found []listed, err error) {
	wanted, err := json.Marshal([]tag{{TagMigration, migration}})
	if err != nil {
		return nil, err
	}
	for page := 1; page <= mostPages; page++ {
		var answer struct {
			List []listed `json:"list"`
		}
		err := c.do(ctx, call{api: listInstances, query: map[string]string{
			"tags": string(wanted), "pageNumber": strconv.Itoa(page), "pageSize": strconv.Itoa(pageSize),
		}}, &answer)
		if err != nil {
			return nil, err
		}
		for _, one := range answer.List {
			if one.Status != released && one.tag(TagMigration) == migration {
				found = append(found, one)
			}
		}
		if len(answer.List) < pageSize {
			return found, nil
		}
	}
	return nil, fmt.Errorf("%s: more than %d instances have the tag %s=%s", listInstances.action, mostPages*pageSize,
		TagMigration, migration)
}

// Buy returns the migration's instance when it runs, and buys it where there is none. However often
// it is called, and whenever it was interrupted, there is one. said hears what is waited for.
func (c *Client) Buy(ctx context.Context, o Order, said func(string)) (Instance, error) {
	said("looks for an instance of this migration")
	is, there, err := c.Find(ctx, o)
	if err != nil {
		return Instance{}, err
	}
	if !there {
		if err := c.CheckNetwork(ctx, o); err != nil {
			return Instance{}, err
		}
		if is, err = c.purchase(ctx, o, said); err != nil {
			return Instance{}, err
		}
	}
	return c.await(ctx, is.ID, said)
}

// purchase calls CreateInstance until it is known that there is an instance. After a lost answer it
// looks for the instance first. What isn't found may be there nevertheless, as tags can be late;
// the same token makes no second one then.
func (c *Client) purchase(ctx context.Context, o Order, said func(string)) (Instance, error) {
	pause := c.options.Pause
	for try := 1; ; try++ {
		said("buys " + o.Instance.Told())
		var id string
		err := c.do(ctx, call{api: createInstance, query: map[string]string{"clientToken": o.token()}, body: o.body()}, &id)
		if err == nil && id != "" {
			return Instance{ID: id, Status: creating}, nil
		}
		if err == nil {
			err = &Error{Action: createInstance.action, Kind: Unclear, Message: "the answer names no instance"}
		}
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind == Unsent || failed.Kind == NoKeys {
			return Instance{}, err
		}
		is, there, lost := c.Find(ctx, o)
		switch {
		case lost != nil:
			return Instance{}, fmt.Errorf("%w; then it was looked for: %w", err, lost)
		case there:
			return is, nil
		case failed.Final() || try == purchases:
			return Instance{}, err
		}
		if ended := wait(ctx, max(pause, failed.After)); ended != nil {
			return Instance{}, fmt.Errorf("%w; it isn't tried again: %w", err, ended)
		}
		pause *= 2
	}
}

// body is the document of CreateInstance.
func (o Order) body() map[string]any {
	i := o.Instance
	network := map[string]any{"vpcId": i.VPC}
	var switches []map[string]any
	for _, id := range i.VSwitches {
		switches = append(switches, map[string]any{"vSwitchId": id})
	}
	network["vSwitches"] = switches
	if i.SecurityGroup != "" {
		network["securityGroupIds"] = i.SecurityGroup
	}
	product := map[string]any{"messageRetentionTime": i.Retention}
	if i.Specification != "" {
		product["msgProcessSpec"] = i.Specification
	}
	body := map[string]any{
		"serviceCode": "rmq", "seriesCode": i.Series, "subSeriesCode": i.Edition, "paymentType": i.Payment,
		"commodityCode": i.Commodity(), "instanceName": "rocketshift-" + o.Migration, "productInfo": product,
		"networkInfo": map[string]any{
			"vpcInfo":      network,
			"internetInfo": map[string]any{"internetSpec": "disable", "flowOutType": "uninvolved"},
		},
		"tags": []tag{{TagMigration, o.Migration}, {TagOrder, o.digest()}},
	}
	if i.Payment == plan.Subscription {
		body["period"], body["periodUnit"], body["autoRenew"] = i.Months, "Month", false
		if i.Months%12 == 0 {
			body["period"], body["periodUnit"] = i.Months/12, "Year"
		}
	}
	if i.ResourceGroup != "" {
		body["resourceGroupId"] = i.ResourceGroup
	}
	return body
}

// await looks at an instance until it runs.
func (c *Client) await(ctx context.Context, id string, said func(string)) (Instance, error) {
	began := time.Now()
	for {
		is, err := c.Get(ctx, id)
		var failed *Error
		switch {
		case errors.As(err, &failed) && failed.Kind == NotFound && time.Since(began) < c.options.Unseen:
			is.Status = creating
		case errors.As(err, &failed) && failed.Kind == NotFound:
			return Instance{}, fmt.Errorf("instance %s, which this migration bought, isn't there any more: give the "+
				"migration another name to buy another one (%w)", id, err)
		case err != nil:
			return Instance{}, err
		case is.Status == running && is.Endpoint != "":
			return is, nil
		case is.Status == running:
			is.Status = "RUNNING without an endpoint"
		case is.Status != creating && is.Status != changing:
			return Instance{}, fmt.Errorf("instance %s is %s: look at it in the console; what is released can't be used "+
				"again, so give the migration another name", id, bounded(is.Status))
		}
		said(fmt.Sprintf("instance %s is %s, after %s", id, bounded(is.Status), time.Since(began).Round(time.Second)))
		if err := wait(ctx, c.options.Look); err != nil {
			return Instance{}, fmt.Errorf("instance %s is %s: %w", id, bounded(is.Status), err)
		}
	}
}

// Get returns an instance.
func (c *Client) Get(ctx context.Context, id string) (Instance, error) {
	var answer struct {
		Status      string `json:"status"`
		NetworkInfo struct {
			Endpoints []struct {
				EndpointType string `json:"endpointType"`
				EndpointURL  string `json:"endpointUrl"`
			} `json:"endpoints"`
		} `json:"networkInfo"`
	}
	if err := c.do(ctx, call{api: getInstance, path: id}, &answer); err != nil {
		return Instance{}, err
	}
	is := Instance{ID: id, Status: answer.Status}
	for _, e := range answer.NetworkInfo.Endpoints {
		if e.EndpointType == "TCP_VPC" {
			is.Endpoint = e.EndpointURL
		}
	}
	return is, nil
}
