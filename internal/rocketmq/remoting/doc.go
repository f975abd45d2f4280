// Package remoting is RocketMQ's wire format: frames and their headers, in JSON and binary; request
// and response codes; the JSON that Java's fastjson writes; signatures; stored messages and their
// properties; and errors of brokers.
//
// Sources: RemotingCommand, MessageDecoder and the protocol headers of RocketMQ 4.9.7 and 5.3.3,
// compared with real brokers.
package remoting
