package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"rocketshift/plan"
)

const (
	// gatewayToken is the demo's own; the gateway's control API listens on this machine alone.
	gatewayToken = "demo-gateway-token"
	gatewayStart = 2 * time.Minute
)

// byGateway reports whether applications connect to a gateway.
func (d *demo) byGateway() bool { return d.o.Traffic == plan.ModeGateway }

// startGateway starts the gateway in front of the source, if the demo has one.
func (d *demo) startGateway(ctx context.Context) error {
	d.entrance = d.source.NameServers
	if !d.byGateway() {
		return nil
	}
	args := []string{
		d.bin("rocketshift-gateway"), "--name", d.o.Name, "--listen", "127.0.0.1", "--advertise", "127.0.0.1",
		"--name-server-port", "0", "--control", "127.0.0.1:0", "--state", filepath.Join(d.dir, "gateway"),
	}
	for _, ns := range d.source.NameServers {
		args = append(args, "--source", ns)
	}
	p, err := spawn("gateway", filepath.Join(d.dir, "gateway.log"), "{", d.env(), args...)
	if err != nil {
		return err
	}
	d.gateway = p
	if err := p.awaitReady(ctx, gatewayStart); err != nil {
		return err
	}
	var at struct{ NameServer, Control string }
	if err := json.Unmarshal([]byte(p.line), &at); err != nil {
		return fmt.Errorf("the gateway said %q: %w", p.line, err)
	}
	d.entrance, d.control = []string{at.NameServer}, at.Control
	d.console.say("gateway: applications use %s as their name server; control API at %s", at.NameServer, at.Control)
	return nil
}

// traffic is that of the plan.
func (d *demo) traffic() plan.Traffic {
	if !d.byGateway() {
		return plan.Traffic{Mode: plan.ModeRelease}
	}
	return plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{d.control}}
}

// rollOut re-points applications one after the other, as an ordinary release of many services does.
func (d *demo) rollOut(ctx context.Context, groupNames, topicNames, servers []string) error {
	for _, g := range groupNames {
		if err := d.fleet.deploy(ctx, []string{g}, nil, servers); err != nil {
			return err
		}
	}
	for _, t := range topicNames {
		if err := d.fleet.deploy(ctx, nil, []string{t}, servers); err != nil {
			return err
		}
	}
	return nil
}
