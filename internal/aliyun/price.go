package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/plan"
)

// product is what prices are asked for.
const product = "ons"

// pricing says what a price depends on. Its modules aren't documented, so they are read.
type pricing struct {
	ModuleList struct {
		Module []struct {
			ModuleCode, PriceType string
			ConfigList            struct{ ConfigList []string }
		}
	}
	AttributeList struct {
		Attribute []struct {
			Code   string
			Values struct{ AttributeValue []struct{ Value string } }
		}
	}
}

// Price is what an order costs, or why that isn't known, in words. A purchase doesn't hang on it:
// the price is for the person who approves.
func (c *Client) Price(ctx context.Context, o Order) string {
	text, err := c.price(ctx, o)
	if err == nil {
		return text
	}
	why := err.Error()
	var failed *Error
	if errors.As(err, &failed) && failed.Code == "NotApplicable" {
		why = "the account isn't of site " + o.Instance.Site + " (target.aliyun.site), or has no prices for " +
			o.Instance.Commodity()
	}
	return "unknown: " + why
}

func (c *Client) price(ctx context.Context, o Order) (string, error) {
	i := o.Instance
	asked := map[string]string{"ProductCode": product, "ProductType": i.Commodity(), "SubscriptionType": i.Payment}
	var known pricing
	if err := c.do(ctx, call{api: describePricingModule, query: asked}, &known); err != nil {
		return "", err
	}
	config, left := known.modules(i)
	if len(config) == 0 {
		return "", fmt.Errorf("no module of %s's prices can be told by what is bought", i.Commodity())
	}
	for key, value := range config {
		asked[key] = value
	}
	asked["Region"] = i.Region
	ask := c.hourlyPrice
	if i.Payment == plan.Subscription {
		ask = func(ctx context.Context, asked map[string]string) (string, error) {
			return c.subscriptionPrice(ctx, i, asked)
		}
	}
	text, err := ask(ctx, asked)
	if err == nil && len(left) > 0 {
		text += "; not in it: " + bounded(strings.Join(left, ", "))
	}
	return text, err
}

func (c *Client) hourlyPrice(ctx context.Context, asked map[string]string) (string, error) {
	var answer struct {
		Currency      string
		ModuleDetails struct {
			ModuleDetail []struct {
				ModuleCode        string
				CostAfterDiscount json.Number
			}
		}
	}
	if err := c.do(ctx, call{api: getPayAsYouGoPrice, query: asked}, &answer); err != nil {
		return "", err
	}
	var parts []string
	for _, one := range answer.ModuleDetails.ModuleDetail {
		unit := "use"
		for n := 1; asked[module(n, "ModuleCode")] != ""; n++ {
			if asked[module(n, "ModuleCode")] == one.ModuleCode {
				unit = strings.ToLower(asked[module(n, "PriceType")])
			}
		}
		parts = append(parts, fmt.Sprintf("%s %s per %s (%s)", one.CostAfterDiscount, bounded(answer.Currency), unit,
			bounded(one.ModuleCode)))
	}
	if len(parts) == 0 {
		return "", errors.New("the answer names none")
	}
	return strings.Join(parts, ", ") + ", as the account is charged; traffic and storage come to it", nil
}

func (c *Client) subscriptionPrice(ctx context.Context, i plan.Aliyun, asked map[string]string) (string, error) {
	asked["OrderType"], asked["Quantity"] = "NewOrder", "1"
	asked["ServicePeriodQuantity"], asked["ServicePeriodUnit"] = strconv.Itoa(i.Months), "Month"
	var answer struct {
		Currency   string
		TradePrice json.Number
	}
	if err := c.do(ctx, call{api: getSubscriptionPrice, query: asked}, &answer); err != nil {
		return "", err
	}
	if answer.TradePrice == "" {
		return "", errors.New("the answer names none")
	}
	return fmt.Sprintf("%s %s for %d months, paid at once", answer.TradePrice, bounded(answer.Currency), i.Months), nil
}

// module is the name of a parameter of the n-th module.
func module(n int, field string) string { return fmt.Sprintf("ModuleList.%d.%s", n, field) }

// modules are the parameters of those modules whose every attribute is told by the order: an
// attribute has the region, or one of the values that it may have is a word of the order. The others
// are left out of the price.
func (p pricing) modules(i plan.Aliyun) (asked map[string]string, left []string) {
	words := []string{i.Region, i.Specification, i.Series, i.Edition, i.Commodity()}
	asked = map[string]string{}
	n := 0
	for _, one := range p.ModuleList.Module {
		var config []string
		for _, code := range one.ConfigList.ConfigList {
			value := p.value(code, words)
			if strings.EqualFold(code, "Region") {
				value = i.Region
			}
			if value != "" {
				config = append(config, code+":"+value)
			}
		}
		if len(config) == 0 || len(config) != len(one.ConfigList.ConfigList) {
			left = append(left, one.ModuleCode)
			continue
		}
		n++
		asked[module(n, "ModuleCode")], asked[module(n, "PriceType")] = one.ModuleCode, one.PriceType
		asked[module(n, "Config")] = strings.Join(config, ",")
	}
	return asked, left
}

func (p pricing) value(code string, words []string) string {
	for _, a := range p.AttributeList.Attribute {
		if a.Code != code {
			continue
		}
		for _, v := range a.Values.AttributeValue {
			if v.Value != "" && slices.Contains(words, v.Value) {
				return v.Value
			}
		}
	}
	return ""
}
