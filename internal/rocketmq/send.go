package rocketmq

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// mostBody is the most bytes of a body that a frame holds beside its header, whatever
// maxMessageSize is.
const mostBody = remoting.MaxFrame - 64<<10

// batchOverhead is what one message adds to a batch besides its body and properties.
const batchOverhead = 22

// ErrPropertiesTooLong refuses a message before it can harm others (MaxProperties).
var ErrPropertiesTooLong = errors.New("properties are too long")

// ErrBatchTooLarge refuses a batch that no broker takes.
var ErrBatchTooLarge = errors.New("the batch is too large")

// BatchMessage is one message of a batch. All of it is stored byte for byte.
type BatchMessage struct {
	Flag       int32
	Body       []byte
	Properties []byte
	Added      []byte // entries to store after Properties
}

// StoredProperties are Properties and Added, as the broker stores them in front of its own.
func (m BatchMessage) StoredProperties() []byte {
	if len(m.Added) == 0 {
		return m.Properties
	}
	return append(remoting.Closed(append([]byte(nil), m.Properties...)), m.Added...)
}

// PropertiesSize is how long StoredProperties are.
func (m BatchMessage) PropertiesSize() int {
	size := len(m.Properties) + len(m.Added)
	if len(m.Added) > 0 && remoting.Open(m.Properties) {
		size++
	}
	return size
}

// Size is how many bytes the message takes in a batch body.
func (m BatchMessage) Size() int { return batchOverhead + len(m.Body) + m.PropertiesSize() }

// BatchRequest is a batch for one queue. SysFlag, BornTimestamp and ReconsumeTimes hold for all of
// its messages.
type BatchRequest struct {
	Group          string
	Topic          string
	Queue          int
	SysFlag        int32 // only FlagsOfContent may be set
	BornTimestamp  int64
	ReconsumeTimes int32
	Messages       []BatchMessage
}

// SendResult says where the first message was stored. Code may be 10, 11 or 12: stored, but not yet
// flushed or copied to slaves.
type SendResult struct {
	Queue  int
	Offset int64
	Code   int
}

// SendBatch stores messages verbatim (code 320, m=true): the broker doesn't act on their
// properties.
func (c *Client) SendBatch(ctx context.Context, addr string, q BatchRequest) (SendResult, error) {
	size := 0
	for _, m := range q.Messages {
		size += m.Size()
	}
	memory := remoting.NewBuffer(min(size, mostBody))
	defer memory.Release() // the body is written when the call returns
	body, err := appendBatch(memory.Bytes[:0], q.Messages)
	if err != nil {
		return SendResult{}, fmt.Errorf("%s queue %d: %w", q.Topic, q.Queue, err)
	}
	fields := sendFields(q.Group, q.Topic, q.Queue, q.SysFlag, q.BornTimestamp, q.ReconsumeTimes)
	fields["m"] = "true"
	return c.send(ctx, addr,
		&remoting.Command{Code: remoting.CodeSendBatch, Binary: true, Fields: fields, Body: body}, q.Topic,
		q.Queue)
}

// SendAlone stores the only message of the request by a send of its own, for retry topics: 5.x
// brokers take no batches for them. It leaves out the properties that brokers would act on (Inert).
// Brokers don't make the message a dead letter, however often it was consumed, except from 5.1 on
// while members of the group hold queues locked: then the group's dead-letter topic stores it, and
// the answer says where.
func (c *Client) SendAlone(ctx context.Context, addr string, q BatchRequest) (SendResult, error) {
	if len(q.Messages) != 1 {
		return SendResult{}, fmt.Errorf("%s queue %d: %d messages to send alone", q.Topic, q.Queue, len(q.Messages))
	}
	m := q.Messages[0]
	if size := m.PropertiesSize(); size > remoting.MaxProperties {
		return SendResult{}, fmt.Errorf("%s queue %d: %w: %d bytes, allowed %d", q.Topic, q.Queue,
			ErrPropertiesTooLong, size, remoting.MaxProperties)
	}
	return c.SendMessage(ctx, addr, SendRequest{
		Group: q.Group, Topic: q.Topic, Queue: q.Queue, SysFlag: q.SysFlag, Flag: m.Flag,
		BornTimestamp: q.BornTimestamp, ReconsumeTimes: q.ReconsumeTimes, MaxReconsumeTimes: math.MaxInt32,
		Body: m.Body, Properties: c.options.Renames.retryThere(remoting.Inert(m.StoredProperties())),
	})
}

// appendBatch encodes a batch body (MessageDecoder.encodeMessages).
func appendBatch(dst []byte, messages []BatchMessage) ([]byte, error) {
	total := 0
	for i, m := range messages {
		if size := m.PropertiesSize(); size > remoting.MaxProperties {
			return nil, fmt.Errorf("message %d of the batch: %w: %d bytes, allowed %d", i, ErrPropertiesTooLong,
				size, remoting.MaxProperties)
		}
		total += m.Size()
	}
	if total > mostBody || len(messages) == 0 {
		return nil, fmt.Errorf("%w: %d messages, %d bytes, and a frame holds %d", ErrBatchTooLarge,
			len(messages), total, mostBody)
	}
	for _, m := range messages {
		dst = binary.BigEndian.AppendUint32(dst, uint32(m.Size()))
		dst = binary.BigEndian.AppendUint64(dst, 0) // magic and checksum: the broker computes its own
		dst = binary.BigEndian.AppendUint32(dst, uint32(m.Flag))
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(m.Body))), m.Body...)
		dst = append(binary.BigEndian.AppendUint16(dst, uint16(m.PropertiesSize())), m.Properties...)
		if len(m.Added) > 0 {
			if remoting.Open(m.Properties) {
				dst = append(dst, remoting.ValueEnd)
			}
			dst = append(dst, m.Added...)
		}
	}
	return dst, nil
}

// SendRequest is a single message: brokers act on its properties (delay, transaction).
type SendRequest struct {
	Group             string
	Topic             string
	Queue             int // -1 lets the broker choose
	SysFlag           int32
	Flag              int32
	BornTimestamp     int64
	ReconsumeTimes    int32
	MaxReconsumeTimes int32
	Body              []byte
	Properties        []byte
}

// SendMessage stores one message by SEND_MESSAGE_V2.
func (c *Client) SendMessage(ctx context.Context, addr string, q SendRequest) (SendResult, error) {
	fields := sendFields(q.Group, q.Topic, q.Queue, q.SysFlag, q.BornTimestamp, q.ReconsumeTimes)
	fields["h"] = strconv.Itoa(int(q.Flag))
	fields["i"] = string(q.Properties)
	if q.MaxReconsumeTimes > 0 {
		fields["l"] = strconv.Itoa(int(q.MaxReconsumeTimes))
	}
	return c.send(ctx, addr, &remoting.Command{Code: remoting.CodeSendV2, Fields: fields, Body: q.Body},
		q.Topic, q.Queue)
}

// sendFields are the one-letter names of SendMessageRequestHeaderV2.
func sendFields(group, topic string, queue int, sysFlag int32, born int64, reconsumed int32) map[string]string {
	return map[string]string{
		"a": group, "b": topic, "c": "TBW102", "d": "4", "e": strconv.Itoa(queue), "f": strconv.Itoa(int(sysFlag)),
		"g": strconv.FormatInt(born, 10),
		"h": "0", "i": "", "j": strconv.Itoa(int(reconsumed)), "k": "false", "m": "false",
	}
}

func (c *Client) send(
	ctx context.Context,
	addr string,
	cmd *remoting.Command,
	topic string,
	queue int,
) (SendResult, error) {
	object := topic + " queue " + strconv.Itoa(queue)
	got, err := c.ask(ctx, addr, cmd, object, remoting.FlushDiskTimeout, remoting.SlaveNotAvailable,
		remoting.FlushSlaveTimeout)
	if err != nil {
		return SendResult{}, err
	}
	// A batch's answer may list the offsets of all messages, comma-separated; the first is where
	// the batch begins.
	first, _, _ := strings.Cut(got.Fields["queueOffset"], ",")
	offset, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return SendResult{}, &remoting.LostError{
			Server: addr,
			Call:   remoting.RequestName(cmd.Code),
			Err:    fmt.Errorf("the answer's queueOffset %q is not a number", got.Fields["queueOffset"]),
		}
	}
	stored, err := strconv.Atoi(got.Fields["queueId"])
	if err != nil {
		stored = queue
	}
	return SendResult{Queue: stored, Offset: offset, Code: got.Code}, nil
}
