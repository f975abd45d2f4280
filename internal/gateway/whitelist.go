package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
)

// Brokers see the gateway's address for all clients behind it. Access control of 4.x lets addresses of a white list in without
// asking who they are (globalWhiteRemoteAddresses in plain_acl.yml). If the gateway's own is there, everybody behind it may do
// everything. That can be seen: such a broker has access control (aclEnable) and answers a request that nobody has signed.

// whiteListPause is how often brokers are asked: they read their white lists again when these change.
const whiteListPause = time.Minute

// whiteList is the brokers of the source that let everybody in who comes from the gateway.
type whiteList struct {
	mu  sync.Mutex
	why error
}

// letsEverybodyIn names the broker that doesn't ask who sends what through the gateway; nil if none was found.
func (g *Gateway) letsEverybodyIn() error {
	g.whiteList.mu.Lock()
	defer g.whiteList.mu.Unlock()
	return g.whiteList.why
}

// lookAtWhiteLists asks all brokers of the source.
func (g *Gateway) lookAtWhiteLists(ctx context.Context) error {
	if g.config.Credentials == nil {
		return nil // there is no access control, or nobody to ask as
	}
	nobody := rocketmq.NewClient(rocketmq.Options{Dial: g.dials[source]})
	defer nobody.Close()
	var found error
	for _, name := range g.brokersOf(source) {
		for _, addr := range g.addresses(dest{source, name}) {
			if g.isOpen(ctx, nobody, addr) {
				found = errors.Join(found, fmt.Errorf("source broker %s lets everybody in who comes from the gateway's address, without asking for a signature: "+
					"take that address out of its white list (globalWhiteRemoteAddresses in conf/plain_acl.yml), and restart the broker, which keeps "+
					"addresses that were there", name))
			}
		}
	}
	g.whiteList.mu.Lock()
	defer g.whiteList.mu.Unlock()
	g.whiteList.why = found
	return found
}

// isOpen reports whether a broker has access control, and doesn't use it for who comes from here. Of one that can't be asked, it isn't known.
func (g *Gateway) isOpen(ctx context.Context, nobody *rocketmq.Client, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	config, err := g.source.Client().BrokerConfig(ctx, addr)
	if err != nil || config["aclEnable"] != "true" {
		return false
	}
	_, err = nobody.Runtime(ctx, addr)
	return err == nil
}

// watchWhiteLists looks again and again. What is found holds up moves, is in the log, and in what probes are told.
func (g *Gateway) watchWhiteLists() {
	for said := ""; wait(g.ctx, whiteListPause) == nil; {
		err := g.lookAtWhiteLists(g.ctx)
		if err != nil && said != err.Error() {
			g.log.Error("access control has no effect for clients behind the gateway", "cause", err)
		}
		said = textOf(err)
	}
}
