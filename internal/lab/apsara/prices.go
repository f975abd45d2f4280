package apsara

import (
	"net/http"
	"strings"
)

// module is the only pricing module of a commodity here. The real ones aren't documented, and are
// read when they are needed.
const module = "msgProcessSpec"

// pricingModule answers what a price depends on.
func (c *Cloud) pricingModule(q *request) answer {
	price, refusal, bad := c.price(q)
	if bad {
		return refusal
	}
	attribute := func(code string, values ...string) map[string]any {
		all := []any{}
		for _, value := range values {
			all = append(all, map[string]any{"Value": value, "Name": value})
		}
		return map[string]any{"Code": code, "Name": code, "Values": map[string]any{"AttributeValue": all}}
	}
	return successful(map[string]any{
		"ModuleList": map[string]any{"Module": []any{map[string]any{
			"ModuleCode": module, "ModuleName": module, "PriceType": price.Unit, "Currency": price.Currency,
			"ConfigList": map[string]any{"ConfigList": []string{"Region", "msgProcessSpec"}},
		}}},
		"AttributeList": map[string]any{"Attribute": []any{
			attribute("Region", c.options.Region),
			attribute("msgProcessSpec", "rmq.s1.micro", "rmq.s2.2xlarge", "rmq.p2.4xlarge", "rmq.u2.10xlarge"),
		}},
	})
}

func (c *Cloud) hourlyPrice(q *request) answer  { return c.priced(q) }
func (c *Cloud) monthlyPrice(q *request) answer { return c.priced(q) }

func (c *Cloud) priced(q *request) answer {
	price, refusal, bad := c.price(q)
	if bad {
		return refusal
	}
	config := q.query.Get("ModuleList.1.Config")
	switch {
	case q.query.Get("ModuleList.1.ModuleCode") != module:
		return fail(http.StatusBadRequest, "InvalidParameter", "ModuleCode is unknown")
	case !strings.Contains(config, "Region:"+c.options.Region) || !strings.Contains(config, "msgProcessSpec:rmq."):
		return fail(http.StatusBadRequest, "InvalidParameter", "Config is incomplete")
	case q.action == "GetSubscriptionPrice" && q.query.Get("OrderType") != "NewOrder":
		return fail(http.StatusBadRequest, "InvalidParameter", "OrderType is missing")
	case q.action == "GetSubscriptionPrice":
		return successful(map[string]any{
			"Currency": price.Currency, "OriginalPrice": price.Amount, "TradePrice": price.Amount,
		})
	}
	return successful(map[string]any{"Currency": price.Currency, "ModuleDetails": map[string]any{"ModuleDetail": []any{
		map[string]any{
			"ModuleCode": module, "OriginalCost": price.Amount, "CostAfterDiscount": price.Amount,
			"UnitPrice": price.Amount,
		},
	}}})
}

// price is that of the commodity that is asked for.
func (c *Cloud) price(q *request) (Price, answer, bool) {
	for _, field := range []string{"ProductCode", "SubscriptionType"} {
		if q.query.Get(field) == "" {
			return Price{}, fail(http.StatusBadRequest, "Missing"+field, field+" is mandatory for this action."), true
		}
	}
	if q.query.Get("ProductCode") != "ons" {
		return Price{}, fail(http.StatusBadRequest, "InvalidParameter", "ProductCode is unknown"), true
	}
	price, known := c.options.Prices[q.query.Get("ProductType")]
	if !known {
		return Price{}, fail(http.StatusBadRequest, "NotApplicable", "This API is not applicable for caller."), true
	}
	return price, answer{}, false
}

func successful(data map[string]any) answer {
	return rpc(map[string]any{"Success": true, "Code": "Success", "Message": "Successful!", "Data": data})
}
