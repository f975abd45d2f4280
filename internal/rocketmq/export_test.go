package rocketmq

// What a test needs to play a group's member, which answers a broker's own requests.
var (
	AppendFrame  = appendFrame
	ReadFrame    = readFrame
	FlagResponse = int32(flagResponse)
)
