package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are above those of well-known programs and below 32768, where the kernel begins to give
// ports to outgoing connections. The step leaves space for the other ports of a broker: two below
// its own, and one above.
const (
	firstPort = 12000
	lastPort  = 32600
	portStep  = 10
)

// FreePorts returns n TCP ports below 32768 that nobody listens on. Each leaves its neighbours from
// two below to one above free, as a broker needs them.
func FreePorts(n int) ([]int, error) {
	// A random order keeps two programs that look at the same moment apart.
	var ports []int
	for _, i := range rand.Perm((lastPort - firstPort) / portStep) {
		if len(ports) == n {
			return ports, nil
		}
		if port := firstPort + i*portStep; brokerPortsFree(port) {
			ports = append(ports, port)
		}
	}
	return nil, fmt.Errorf(
		"%d free ports between %d and %d wanted, only %d found: stop some of the servers on this machine", n,
		firstPort, lastPort, len(ports),
	)
}

func brokerPortsFree(port int) bool {
	for _, p := range brokerPorts(port) {
		if !portFree(p) {
			return false
		}
	}
	return true
}

// brokerPorts are the ports of a broker: its own, the fast one (VIP channel), and that for
// replicas.
func brokerPorts(port int) []int { return []int{port, port - 2, port + 1} }

// portFree tries all addresses at once, since the servers listen on all of them.
func portFree(port int) bool {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
