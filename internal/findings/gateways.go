package findings

// Gateways.
const (
	GatewayUnreachable ID = "gateway-unreachable"
	GatewayKeys        ID = "gateway-keys"
	GatewayBypassed    ID = "gateway-bypassed"
	GatewayVIP         ID = "gateway-vip"
)

func gatewayEntries() []Entry {
	return []Entry{
		{
			GatewayUnreachable, warning, "the gateway can't be asked",
			"nothing moves without it", "start it, and give it to applications as their name server, before the shift",
		},
		{
			GatewayKeys, warning, "clients can't follow to the target",
			"the gateway can't sign for them there",
			"give the gateway their access keys in the file of --keys, and the target their accounts",
		},
		{
			GatewayBypassed, warning, "clients are connected directly, not by the gateway",
			"their groups can't move before they are connected to the gateway",
			"give them the gateway as their name server before the shift",
		},
		{
			GatewayVIP, warning, "a port 2 below the gateway's is needed or in use",
			"old Java clients send there", "free that port and let firewalls pass it, or switch the VIP channel off",
		},
	}
}
