// Package wire reads RocketMQ's frames where they lie, and writes them again with single values
// changed.
//
// A gateway passes on a hundred thousand frames in a second and looks at a few fields of each. So a
// frame is never decoded into maps and texts: its header is scanned in the reader's memory, fields
// are slices of it, and a change is a note of what replaces which bytes. Bodies are handed to the
// connection as they came. Both header formats, JSON and RocketMQ's own, give the same Frame.
//
// Clients of servers (internal/rocketmq/remoting) decode a header into a Command with a map of
// texts, which is simpler, and allocates for each field. So both read both formats by themselves.
// The scanner of JSON, numbers, signatures and properties are remoting's alone.
//
// The formats are those of RemotingCommand and RocketMQSerializable (RocketMQ 4.9.7).
package wire
