package rocketmq

import "rocketshift/internal/rocketmq/remoting"

// What a test needs to play a group's member, which answers a broker's own requests.
var (
	AppendFrame  = remoting.AppendFrame
	ReadFrame    = remoting.ReadFrame
	FlagResponse = int32(remoting.FlagResponse)
)
