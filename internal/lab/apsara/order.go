package apsara

import (
	"net/http"
	"slices"
	"strings"
)

const (
	payAsYouGo   = "PayAsYouGo"
	subscription = "Subscription"
	serverless   = "serverless"
	longestToken = 64
)

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// order is the body of CreateInstance.
type order struct {
	ServiceCode     string         `json:"serviceCode"`
	SeriesCode      string         `json:"seriesCode"`
	SubSeriesCode   string         `json:"subSeriesCode"`
	PaymentType     string         `json:"paymentType"`
	CommodityCode   string         `json:"commodityCode"`
	Period          int            `json:"period"`
	PeriodUnit      string         `json:"periodUnit"`
	AutoRenew       bool           `json:"autoRenew"`
	InstanceName    string         `json:"instanceName"`
	Remark          string         `json:"remark"`
	ResourceGroupID string         `json:"resourceGroupId"`
	Tags            []tag          `json:"tags"`
	ProductInfo     map[string]any `json:"productInfo"`
	NetworkInfo     struct {
		VPCInfo struct {
			VPCID     string `json:"vpcId"`
			VSwitches []struct {
				VSwitchID string `json:"vSwitchId"`
			} `json:"vSwitches"`
			SecurityGroupIDs string `json:"securityGroupIds,omitempty"`
		} `json:"vpcInfo"`
		InternetInfo struct {
			InternetSpec string `json:"internetSpec"`
			FlowOutType  string `json:"flowOutType"`
			Bandwidth    int    `json:"flowOutBandwidth,omitempty"`
		} `json:"internetInfo"`
	} `json:"networkInfo"`
}

func (o order) has(wanted []tag) bool {
	return !slices.ContainsFunc(wanted, func(t tag) bool { return !slices.Contains(o.Tags, t) })
}

func checkToken(token string) (refusal answer, bad bool) {
	beyond := func(r rune) bool { return r > '~' || r < ' ' }
	if len(token) > longestToken || strings.ContainsFunc(token, beyond) {
		return invalid("clientToken", token), true
	}
	return answer{}, false
}

// check refuses what the documentation refuses.
func (o order) check(options Options) (refusal answer, bad bool) {
	network := o.NetworkInfo
	for field, value := range map[string]string{
		"serviceCode": o.ServiceCode, "seriesCode": o.SeriesCode, "subSeriesCode": o.SubSeriesCode,
		"paymentType": o.PaymentType, "vpcId": network.VPCInfo.VPCID, "internetSpec": network.InternetInfo.InternetSpec,
		"flowOutType": network.InternetInfo.FlowOutType,
	} {
		if value == "" {
			return missing(field), true
		}
	}
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"serviceCode", o.ServiceCode, []string{"rmq"}},
		{"seriesCode", o.SeriesCode, []string{"standard", "professional", "ultimate"}},
		{"subSeriesCode", o.SubSeriesCode, []string{"cluster_ha", "single_node", serverless}},
		{"paymentType", o.PaymentType, []string{payAsYouGo, subscription}},
		{"internetSpec", network.InternetInfo.InternetSpec, []string{"enable", "disable"}},
		{"flowOutType", network.InternetInfo.FlowOutType, []string{"payByBandwidth", "payByTraffic", "uninvolved"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return invalid(c.field, c.value), true
		}
	}
	if refusal, bad := o.checkProduct(); bad {
		return refusal, bad
	}
	return o.checkNetwork(options.Networks)
}

func (o order) checkProduct() (refusal answer, bad bool) {
	spec, _ := o.ProductInfo["msgProcessSpec"].(string)
	hours, isNumber := o.ProductInfo["messageRetentionTime"].(float64)
	internet := o.NetworkInfo.InternetInfo
	switch {
	case o.SubSeriesCode == serverless && o.CommodityCode == "":
		return fail(http.StatusBadRequest, "Missingnull", "null is mandatory for this action."), true
	case o.SubSeriesCode == serverless && o.PaymentType != payAsYouGo:
		return invalid("paymentType", o.PaymentType), true
	case o.SubSeriesCode != serverless && !strings.HasPrefix(spec, "rmq."):
		return invalid("msgProcessSpec", spec), true
	case o.SeriesCode == "ultimate" && o.SubSeriesCode != "cluster_ha":
		return invalid("subSeriesCode", o.SubSeriesCode), true
	case o.ProductInfo["messageRetentionTime"] != nil && (!isNumber || hours < 24 || hours > 720):
		return invalid("messageRetentionTime", "out of range"), true
	case o.PaymentType == subscription && (o.Period < 1 || o.PeriodUnit != "Month" && o.PeriodUnit != "Year"):
		return missing("period"), true
	case (internet.InternetSpec == "disable") != (internet.FlowOutType == "uninvolved"):
		return invalid("flowOutType", internet.FlowOutType), true
	}
	return answer{}, false
}

func (o order) checkNetwork(networks []Network) (refusal answer, bad bool) {
	wanted := o.NetworkInfo.VPCInfo
	i := slices.IndexFunc(networks, func(n Network) bool { return n.VPC == wanted.VPCID })
	if i < 0 {
		return invalid("vpcId", wanted.VPCID), true
	}
	least := 1
	if o.SubSeriesCode == serverless {
		least = 2
	}
	if len(wanted.VSwitches) < least {
		return missing("vSwitches"), true
	}
	for _, one := range wanted.VSwitches {
		if !slices.Contains(networks[i].VSwitches, one.VSwitchID) {
			return invalid("vSwitchId", one.VSwitchID), true
		}
	}
	if group := wanted.SecurityGroupIDs; group != "" && !slices.Contains(networks[i].SecurityGroups, group) {
		return invalid("securityGroupIds", group), true
	}
	return answer{}, false
}
