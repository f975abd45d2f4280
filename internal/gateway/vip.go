package gateway

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// Java clients up to 4.5.0 send, commit and ask at a broker's port minus 2, its VIP channel, unless
// they are told not to (vipChannelEnabled of ClientConfig, MixAll.brokerVIPChannel): brokers listen
// there too (fastListenPort). Only heartbeats and pulls go to the port itself. So the gateway
// stands in for both; at both it does the same.

// vipDistance is how far below a broker's port its VIP channel is.
const vipDistance = 2

// vipPort begins the names of listeners at VIP channels, for a successor.
const vipPort = clientPort + "vip "

// vipOf is what the VIP channel of a broker goes by among listeners that pass to a successor.
func vipOf(broker string) string { return vipPort[len(clientPort):] + broker }

// pickTries is how often a pair of free ports is looked for: systems give out ports at random, and
// most are free.
const pickTries = 50

// pick listens at any port whose VIP channel is free too.
func (p *ports) pick(host string) (at, vip net.Listener, err error) {
	for range pickTries {
		if at, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return nil, nil, err
		}
		if vip, err = listenVIP(host, at); err == nil {
			return at, vip, nil
		}
		_ = at.Close()
	}
	return nil, nil, fmt.Errorf("no free port with another free one %d below it: %w", vipDistance, err)
}

// listenVIP listens at the VIP channel of a listener.
func listenVIP(host string, at net.Listener) (net.Listener, error) {
	number := at.Addr().(*net.TCPAddr).Port - vipDistance
	if number <= 0 {
		return nil, fmt.Errorf("there is no port %d", number)
	}
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(number)))
}

// openVIPs listens at the VIP channels of all ports that stand for brokers, as far as they are
// free. It tries again what wasn't. Callers hold p.mu.
func (p *ports) openVIPs(g *sessions) {
	for _, one := range p.all {
		if one.names || one.vip != nil {
			continue
		}
		vip := p.passed[vipOf(one.Dest.Broker)]
		var err error
		if vip == nil {
			vip, err = listenVIP(g.config.Listen, one.listener)
		}
		if err == nil {
			one.vip, one.vipProblem = vip, ""
			continue
		}
		why := p.vipProblem(one, err)
		if why != one.vipProblem {
			g.log.Error("Java clients up to 4.5.0 can't send to a broker", "problem", why)
		}
		one.vipProblem = why
	}
}

// vipProblem says what to do for a VIP channel that can't be opened.
func (p *ports) vipProblem(one *port, err error) string {
	number := one.number() - vipDistance
	taken := ""
	for _, other := range p.all {
		if other.number() == number {
			taken = ", which stands for " + other.Dest.Broker
		}
	}
	return fmt.Sprintf("broker %s is at port %d, and its VIP channel would be at %d%s: %v. Java "+
		"clients up to 4.5.0 send there: free that port, or give the broker another one "+
		"(--port %s=…); or let them run with -Dcom.rocketmq.sendMessageWithVIPChannel=false",
		one.Dest.Broker, one.number(), number, taken, err, one.Dest.Broker)
}

// VIPProblems are the brokers whose VIP channels the gateway doesn't stand in for, with what to do.
func (g *Gateway) VIPProblems() (all []string) {
	g.clients.ports.mu.Lock()
	defer g.clients.ports.mu.Unlock()
	for _, one := range g.clients.ports.all {
		if one.vipProblem != "" {
			all = append(all, one.vipProblem)
		}
	}
	return all
}

// listeners are those at which the port's clients come.
func (p *port) listeners() []net.Listener {
	if p.vip == nil {
		return []net.Listener{p.listener}
	}
	return []net.Listener{p.listener, p.vip}
}

// setDeadline lets nobody in from a moment on; the zero one lets everybody in.
func (p *port) setDeadline(from time.Time) {
	for _, l := range p.listeners() {
		if at, is := l.(*net.TCPListener); is {
			_ = at.SetDeadline(from)
		}
	}
}
