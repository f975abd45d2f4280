package rocketmq

// Addresses says where servers are reached that advertise addresses which don't lead there from
// here, as behind NAT or in Kubernetes (brokerIP1): host:port by the advertised host:port.
type Addresses map[string]string

// Of is where a server with that advertised address is reached.
func (a Addresses) Of(advertised string) string {
	if at, known := a[advertised]; known {
		return at
	}
	return advertised
}
