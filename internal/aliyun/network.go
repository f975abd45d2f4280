package aliyun

import (
	"context"
	"fmt"
	"strings"
)

const available = "Available"

// CheckNetwork refuses a network in which the instance can't be, before it is bought: it can't be
// moved to another one.
func (c *Client) CheckNetwork(ctx context.Context, o Order) error {
	i := o.Instance
	var vpcs struct {
		Vpcs struct {
			Vpc []struct{ VpcId, Status string } //nolint:revive,staticcheck // as the API spells it
		}
	}
	if err := c.do(ctx, call{api: describeVPCs, query: map[string]string{
		"RegionId": i.Region, "VpcId": i.VPC,
	}}, &vpcs); err != nil {
		return err
	}
	status := ""
	for _, one := range vpcs.Vpcs.Vpc {
		if one.VpcId == i.VPC {
			status = one.Status
		}
	}
	if status != available {
		return notUsable("target.aliyun.vpc", "VPC "+i.VPC, "region "+i.Region, status)
	}
	if err := c.checkVSwitches(ctx, o); err != nil {
		return err
	}
	return c.checkSecurityGroup(ctx, o)
}

func notUsable(key, what, where, status string) error {
	if status == "" {
		return fmt.Errorf("%s: %s isn't in %s, as far as the worker's keys show: nothing was bought; correct the plan",
			key, what, where)
	}
	return fmt.Errorf("%s: %s is %s: nothing was bought; wait until it is %s, or correct the plan", key, what,
		bounded(status), available)
}

func (c *Client) checkVSwitches(ctx context.Context, o Order) error {
	i := o.Instance
	var switches struct {
		VSwitches struct {
			VSwitch []struct{ VSwitchId, VpcId, Status string } //nolint:revive,staticcheck // as above
		}
	}
	for at, id := range i.VSwitches {
		if err := c.do(ctx, call{api: describeVSwitches, query: map[string]string{
			"RegionId": i.Region, "VpcId": i.VPC, "VSwitchId": id,
		}}, &switches); err != nil {
			return err
		}
		status := ""
		for _, one := range switches.VSwitches.VSwitch {
			if one.VSwitchId == id && one.VpcId == i.VPC {
				status = one.Status
			}
		}
		if status != available {
			return notUsable(fmt.Sprintf("target.aliyun.vSwitches[%d]", at), "vSwitch "+id, "VPC "+i.VPC, status)
		}
	}
	return nil
}

func (c *Client) checkSecurityGroup(ctx context.Context, o Order) error {
	i := o.Instance
	if i.SecurityGroup == "" {
		return nil
	}
	var groups struct {
		SecurityGroups struct {
			SecurityGroup []struct{ SecurityGroupId, VpcId string } //nolint:revive,staticcheck // as above
		}
	}
	if err := c.do(ctx, call{api: describeSecurityGroups, query: map[string]string{
		"RegionId": i.Region, "SecurityGroupId": i.SecurityGroup,
	}}, &groups); err != nil {
		return err
	}
	for _, one := range groups.SecurityGroups.SecurityGroup {
		if one.SecurityGroupId == i.SecurityGroup && strings.EqualFold(one.VpcId, i.VPC) {
			return nil
		}
	}
	return notUsable("target.aliyun.securityGroup", "security group "+i.SecurityGroup, "VPC "+i.VPC, "")
}
