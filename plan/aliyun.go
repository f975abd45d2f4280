package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Aliyun is the ApsaraMQ 5.x instance that ProviderAliyun buys.
type Aliyun struct {
	Region string `json:"region,omitzero"` // such as cn-hangzhou
	// Site is the kind of the account: SiteChina or SiteInternational. Products have other codes
	// there.
	Site    string `json:"site,omitzero"`
	Series  string `json:"series,omitzero"`  // standard, professional or ultimate
	Edition string `json:"edition,omitzero"` // cluster_ha, single_node or serverless, for life
	// Specification is how many messages a second it takes, by its name: rmq.s2.2xlarge.
	Specification string   `json:"specification,omitempty"`
	Payment       string   `json:"payment,omitzero"`    // PayAsYouGo or Subscription
	Months        int      `json:"months,omitempty"`    // Subscription: how long
	Retention     int      `json:"retention,omitempty"` // hours that messages are kept
	VPC           string   `json:"vpc,omitzero"`        // for life
	VSwitches     []string `json:"vSwitches,omitzero"`  // of that VPC, for life
	SecurityGroup string   `json:"securityGroup,omitempty"`
	ResourceGroup string   `json:"resourceGroup,omitempty"`
}

// Words of Aliyun.
const (
	SiteChina         = "china"
	SiteInternational = "international"

	SeriesStandard     = "standard"
	SeriesProfessional = "professional"
	SeriesUltimate     = "ultimate"

	EditionCluster    = "cluster_ha"
	EditionSingle     = "single_node"
	EditionServerless = "serverless"

	PayAsYouGo   = "PayAsYouGo"
	Subscription = "Subscription"
)

const (
	leastRetention, mostRetention = 24, 720 // hours, as the instance takes them
	defaultRetention              = 72
	mostMonths                    = 36
	monthsOfAYear                 = 12
	mostMonthsSingly              = 6 // more are bought in whole years
)

var (
	regionForm = regexp.MustCompile(`^[a-z]{2}-[a-z0-9-]{2,30}$`)
	// cloudForm are the ids that the cloud gives to networks and the like.
	cloudForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$`)
)

func (a *Aliyun) withDefaults() *Aliyun {
	if a == nil {
		return nil
	}
	b := *a
	b.Site, b.Series = either(b.Site, SiteChina), either(b.Series, SeriesStandard)
	b.Edition, b.Payment = either(b.Edition, EditionCluster), either(b.Payment, PayAsYouGo)
	b.Retention = either(b.Retention, defaultRetention)
	b.VSwitches = slices.Clone(b.VSwitches)
	return &b
}

// Kept is how long the instance keeps messages.
func (a Aliyun) Kept() time.Duration { return time.Duration(a.Retention) * time.Hour }

// Commodity is the code of the product that is bought, as accounts of its site have it.
func (a Aliyun) Commodity() string {
	code := "ons_rmqpost_public_"
	switch {
	case a.Edition == EditionServerless:
		code = "ons_rmqsrvlesspost_public_"
	case a.Payment == Subscription:
		code = "ons_rmqsub_public_"
	}
	if a.Site == SiteInternational {
		return code + "intl"
	}
	return code + "cn"
}

// Told is what is bought, in words.
func (a Aliyun) Told() string {
	words := []string{a.Series, a.Edition}
	if a.Specification != "" {
		words = append(words, a.Specification)
	}
	paid := "pay-as-you-go"
	if a.Payment == Subscription {
		paid = fmt.Sprintf("subscription for %d months, which can't be given back", a.Months)
	}
	return fmt.Sprintf("%s in %s, %s", strings.Join(words, " "), a.Region, paid)
}

func readAliyun(o *object, a **Aliyun) {
	o.object("aliyun", func(o *object) {
		*a = &Aliyun{}
		o.text("region", &(*a).Region)
		o.text("site", &(*a).Site)
		o.text("series", &(*a).Series)
		o.text("edition", &(*a).Edition)
		o.text("specification", &(*a).Specification)
		o.text("payment", &(*a).Payment)
		o.number("months", &(*a).Months)
		o.number("retention", &(*a).Retention)
		o.text("vpc", &(*a).VPC)
		o.texts("vSwitches", &(*a).VSwitches)
		o.text("securityGroup", &(*a).SecurityGroup)
		o.text("resourceGroup", &(*a).ResourceGroup)
	})
}

func checkOneOf(c *Problems, path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.add(path, "%s; allowed: %s", given(value), strings.Join(allowed, ", "))
	}
}

// checkAliyun checks what is bought, before anybody is asked for money.
func checkAliyun(c *Problems, t Target) {
	checkNothingElse(c, t)
	if t.Aliyun == nil {
		c.add("target.aliyun", "missing; provider aliyun wants what to buy: region, vpc, vSwitches, specification")
		return
	}
	a := *t.Aliyun
	if !regionForm.MatchString(a.Region) {
		c.add("target.aliyun.region", "%s; want the id of a region, such as cn-hangzhou", given(a.Region))
	}
	checkOneOf(c, "target.aliyun.site", a.Site, SiteChina, SiteInternational)
	checkOneOf(c, "target.aliyun.series", a.Series, SeriesStandard, SeriesProfessional, SeriesUltimate)
	checkOneOf(c, "target.aliyun.edition", a.Edition, EditionCluster, EditionSingle, EditionServerless)
	if a.Series == SeriesUltimate && a.Edition != EditionCluster {
		c.add("target.aliyun.edition", "%s; series ultimate has edition %s only", quote(a.Edition), EditionCluster)
	}
	if a.Specification == "" && a.Edition != EditionServerless {
		c.add("target.aliyun.specification", "missing; want the name of one, such as rmq.s2.2xlarge")
	}
	checkRange(c, "target.aliyun.retention", a.Retention, leastRetention, mostRetention)
	checkPayment(c, a)
	checkNetwork(c, a)
}

// checkNothingElse refuses keys that say what the bought instance has by itself.
func checkNothingElse(c *Problems, t Target) {
	for path, there := range map[string]bool{
		"target.nameServers": len(t.NameServers) > 0, "target.proxy": t.Proxy != "",
		"target.addresses": len(t.Advertised) > 0, "target.version": t.Version != "", "target.brokers": t.Brokers != 0,
	} {
		if there {
			c.add(path, "an instance that is bought has its own; leave it out, or use provider: existing")
		}
	}
}

func checkPayment(c *Problems, a Aliyun) {
	checkOneOf(c, "target.aliyun.payment", a.Payment, PayAsYouGo, Subscription)
	switch {
	case a.Payment != Subscription:
		if a.Months != 0 {
			c.add("target.aliyun.months", "only a subscription has them; leave it out, or set payment: Subscription")
		}
	case a.Edition == EditionServerless:
		c.add("target.aliyun.payment", "serverless instances are paid as they are used; want PayAsYouGo")
	case a.Months < 1 || a.Months > mostMonths || a.Months > mostMonthsSingly && a.Months%monthsOfAYear != 0:
		c.add("target.aliyun.months", "%d; want 1 to 6, 12, 24 or 36", a.Months)
	}
}

func checkNetwork(c *Problems, a Aliyun) {
	for path, id := range map[string]string{
		"target.aliyun.vpc": a.VPC, "target.aliyun.securityGroup": a.SecurityGroup,
		"target.aliyun.resourceGroup": a.ResourceGroup, "target.aliyun.specification": a.Specification,
	} {
		if id != "" && !cloudForm.MatchString(id) {
			c.add(path, "%s; want an id as the console shows it", quote(id))
		}
	}
	if a.VPC == "" {
		c.add("target.aliyun.vpc", "missing; want the id of the VPC in which applications reach the instance")
	}
	least := 1
	if a.Edition == EditionServerless {
		least = 2
	}
	if len(a.VSwitches) < least {
		c.add("target.aliyun.vSwitches", "%d are given; want at least %d of that VPC", len(a.VSwitches), least)
	}
	for i, id := range a.VSwitches {
		at := fmt.Sprintf("target.aliyun.vSwitches[%d]", i)
		switch {
		case !cloudForm.MatchString(id):
			c.add(at, "%s; want an id as the console shows it", given(id))
		case slices.Contains(a.VSwitches[:i], id):
			c.add(at, "%s is there twice; keep one", quote(id))
		}
	}
}
