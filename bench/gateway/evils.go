package main

import (
	"context"
	"net"
)

// evil is what a kind of connection does, until it is closed.
type evil struct {
	name  string
	share int // of a hundred connections
	// asks says that brokers work for it: what they send the gateway has to pass on
	asks bool
	do   func(ctx context.Context, s *siege, conn net.Conn) error
}

var evils = []evil{
	{"silent", 29, false, func(ctx context.Context, _ *siege, conn net.Conn) error { return stay(conn) }},
	{"long headers", 26, false, longHeader},
	{"begun frames", 26, false, begunFrame},
	{"idle", 8, false, idle},
	{"large heartbeats", 2, false, largeBeat},
	{"odd headers", 2, false, oddHeader},
	{"refused names", 1, false, longName},
	{"joins of one group", 2, true, join},
	{"open pulls, not read", 2, true, openPulls},
	{"large answers, not read", 2, true, largeAnswers},
}
