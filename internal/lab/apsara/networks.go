package apsara

import (
	"net/http"
	"slices"
	"strings"
)

func (n Network) status() string {
	if n.Pending {
		return "Pending"
	}
	return "Available"
}

// ofRegion refuses calls that name another region, or none.
func (c *Cloud) ofRegion(q *request) (refusal answer, bad bool) {
	switch q.query.Get("RegionId") {
	case c.options.Region:
		return answer{}, false
	case "":
		return fail(http.StatusBadRequest, "MissingParameter",
			"The input parameter RegionId that is mandatory is not supplied."), true
	default:
		return fail(http.StatusNotFound, "InvalidRegionId.NotFound", "The specified region does not exist."), true
	}
}

// asked reports whether an id is among those of a parameter, or there is none.
func asked(parameter, id string) bool {
	return parameter == "" || slices.Contains(strings.Split(parameter, ","), id)
}

func (c *Cloud) vpcs(q *request) answer {
	if refusal, bad := c.ofRegion(q); bad {
		return refusal
	}
	found := []any{}
	for _, n := range c.options.Networks {
		if asked(q.query.Get("VpcId"), n.VPC) {
			found = append(found, map[string]any{"VpcId": n.VPC, "RegionId": c.options.Region, "Status": n.status()})
		}
	}
	return rpc(map[string]any{
		"TotalCount": len(found), "PageNumber": 1, "PageSize": 50, "Vpcs": map[string]any{"Vpc": found},
	})
}

func (c *Cloud) vSwitches(q *request) answer {
	if refusal, bad := c.ofRegion(q); bad {
		return refusal
	}
	found := []any{}
	for _, n := range c.options.Networks {
		for i, id := range n.VSwitches {
			if asked(q.query.Get("VpcId"), n.VPC) && asked(q.query.Get("VSwitchId"), id) {
				found = append(found, map[string]any{
					"VSwitchId": id, "VpcId": n.VPC, "Status": n.status(),
					"ZoneId": c.options.Region + "-" + string(rune('a'+i%26)), "AvailableIpAddressCount": 250,
				})
			}
		}
	}
	return rpc(map[string]any{
		"TotalCount": len(found), "PageNumber": 1, "PageSize": 50, "VSwitches": map[string]any{"VSwitch": found},
	})
}

func (c *Cloud) securityGroups(q *request) answer {
	if refusal, bad := c.ofRegion(q); bad {
		return refusal
	}
	found := []any{}
	for _, n := range c.options.Networks {
		for _, id := range n.SecurityGroups {
			if asked(q.query.Get("SecurityGroupId"), id) {
				found = append(found, map[string]any{"SecurityGroupId": id, "VpcId": n.VPC})
			}
		}
	}
	return rpc(map[string]any{"TotalCount": len(found), "SecurityGroups": map[string]any{"SecurityGroup": found}})
}
