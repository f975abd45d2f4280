package inventory

import (
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/findings"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// lastByVIP is the version, as an ordinal, up to which Java clients send at a broker's port minus 2
// unless they are told not to: 4.5.0 (ClientConfig.vipChannelEnabled; 4.5.1 switched it off).
const lastByVIP = rocketmq.Version450

// withoutVIP is how such clients send at the port itself.
const withoutVIP = "-Dcom.rocketmq.sendMessageWithVIPChannel=false"

// byVIP are the clients that send, commit and ask at VIP channels, as far as their version tells.
// Brokers don't say at which of their ports a client is.
func (inv *look) byVIP() (clients []string) {
	seen := map[string]bool{}
	add := func(c rocketmq.Connection) {
		if c.Language != "JAVA" || c.Version > lastByVIP || seen[c.ClientID] {
			return
		}
		seen[c.ClientID] = true
		clients = append(clients, fmt.Sprintf("%s at %s (%s)", c.ClientID, c.Addr, rocketmq.VersionName(c.Version)))
	}
	for _, group := range inv.groupNames() {
		for _, m := range inv.online[group].Members {
			add(m.Connection)
		}
	}
	for _, of := range inv.producers {
		for _, c := range of {
			add(c)
		}
	}
	slices.Sort(clients)
	return clients
}

func vipClients(clients []string) string {
	return fmt.Sprintf("%d Java clients up to 4.5.0 send at the port 2 below a broker's (VIP channel): %s",
		len(clients), printable.Few(clients))
}

// vipFindings: clients that are released to a proxy find nothing at the port 2 below its own.
// Brokers of all versions listen there.
func (inv *look) vipFindings() []api.Finding {
	clients := inv.byVIP()
	if !inv.plan.Target.Proxied() || inv.plan.Traffic.Mode == plan.ModeGateway || len(clients) == 0 {
		return nil
	}
	return []api.Finding{
		findings.VIPClients.Warning(
			"clients",
			"run them with "+withoutVIP+", or with a newer client, before they are released",
			"%s; the target's proxy listens at no such port, so all that they send there fails",
			vipClients(clients),
		),
	}
}

// gatewayVIPFindings: ports at which the gateways don't stand in for brokers, and who needs them.
func (inv *look) gatewayVIPFindings(state control.State) (all []api.Finding) {
	for _, problem := range state.VIPProblems {
		all = append(
			all,
			findings.GatewayVIP.Warning(
				api.GatewayObject,
				"free that port or choose another one (--port), or run such clients with "+
					withoutVIP+", before they get the gateway as their name server",
				"%s",
				problem,
			),
		)
	}
	if clients := inv.byVIP(); len(clients) > 0 {
		all = append(
			all,
			findings.GatewayVIP.Warning(
				api.GatewayObject,
				"let firewalls pass the port 2 below each of the gateway's, too",
				"%s",
				vipClients(clients),
			),
		)
	}
	return all
}
