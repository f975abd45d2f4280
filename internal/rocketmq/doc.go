// Package rocketmq is our own client of RocketMQ's remoting protocol, for 4.x and 5.x name servers
// and brokers: frames, signing, pooled connections, the stored-message codec, and the typed calls
// that a migration needs.
//
// It exists because no Go SDK offers group, offset and statistics calls, raw pulls, or a choice of
// born time and system flags on sends (docs/decisions/0001-own-client.md). A call is one request
// and one answer. Only Retry and RetryRead repeat calls, by the rules of what may safely be
// repeated.
//
// Wire formats follow org.apache.rocketmq.remoting.protocol and
// org.apache.rocketmq.common.message.MessageDecoder of 4.9.7 and 5.3.3, as measured on running
// brokers.
package rocketmq
