package connections

import (
	"context"
	"errors"
	"net"

	"rocketshift/internal/certificates"
	"rocketshift/internal/rocketmq"
)

// InPlain connects without TLS.
func InPlain(ctx context.Context, addr string) (net.Conn, error) {
	return rocketmq.DialTLS(ctx, addr, nil)
}

// TLS says how the servers of a side are reached, name servers and brokers alike.
type TLS struct {
	On bool
	CA string // PEM file with the authorities that sign the servers' certificates; empty: those of the system
	// certificates aren't verified: those that servers make for themselves, by default, nobody can
	// verify
	Insecure bool
}

// Client is how the side's servers are known; nil without TLS.
func (t TLS) Client(of string, failed func(error)) (*certificates.Client, error) {
	switch {
	case !t.On && (t.CA != "" || t.Insecure):
		return nil, errors.New("it is told how to verify certificates, but not to use TLS")
	case !t.On:
		return nil, nil //nolint:nilnil // plain text
	case t.CA != "" && t.Insecure:
		return nil, errors.New("authorities are given, and verifying is switched off: only one of both is possible")
	}
	c := &certificates.Client{Insecure: t.Insecure}
	if t.CA != "" {
		c.Authorities = certificates.NewAuthorities("authorities of the "+of, t.CA)
		c.Authorities.Failed = failed
	}
	_, err := c.Config() // what is wrong from the beginning is said at the beginning
	return c, err
}

// ReachedAt connects to servers where they are reached.
func ReachedAt(at rocketmq.Addresses, dial rocketmq.Dial) rocketmq.Dial {
	if dial == nil {
		dial = InPlain
	}
	return func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, at.Of(addr)) }
}

// DialerOf connects over TLS to servers that are known so.
func DialerOf(known certificates.Client) rocketmq.Dial {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		config, err := known.Config()
		if err != nil {
			return nil, err
		}
		return rocketmq.DialTLS(ctx, addr, config)
	}
}
