package bodies

import (
	"encoding/json"
	"errors"

	"rocketshift/internal/gateway/wire"
)

// LockBody is what LOCK_BATCH_MQ and UNLOCK_BATCH_MQ carry (LockBatchRequestBody).
type LockBody struct {
	Group  string     `json:"consumerGroup"`
	Client string     `json:"clientId"`
	Queues jsonQueues `json:"mqSet"`
}

// Locks is what LOCK_BATCH_MQ is answered with (LockBatchResponseBody).
type Locks struct {
	Queues jsonQueues `json:"lockOKMQSet"`
}

// JsonQueue is a MessageQueue.
type JsonQueue struct {
	Topic  string `json:"topic"`
	Broker string `json:"brokerName"`
	ID     int    `json:"queueId"` // of 32 bits
}

// jsonQueues are a set of them.
type jsonQueues []JsonQueue

// UnmarshalJSON reads queues that have all three, all at once: a body may hold tens of thousands.
// Errors: one is null, or hasn't.
func (q *jsonQueues) UnmarshalJSON(text []byte) error {
	var all []*struct {
		Topic  *string `json:"topic"`
		Broker *string `json:"brokerName"`
		ID     *int32  `json:"queueId"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	*q = make(jsonQueues, 0, len(all))
	for _, is := range all {
		if is == nil || is.Topic == nil || is.Broker == nil || is.ID == nil {
			return errors.New("a queue without topic, brokerName or queueId")
		}
		*q = append(*q, JsonQueue{*is.Topic, *is.Broker, int(*is.ID)})
	}
	return nil
}

// LockNames are the members of both bodies that are looked at.
var LockNames = wire.NamesOf(
	"consumerGroup", "clientId", "mqSet", "onlyThisBroker", "lockOKMQSet", "topic", "brokerName",
	"queueId")

// ParseLock reads the body of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ. Errors: ErrTwoReadings, and those
// of bodies that are none.
func ParseLock(body []byte) (is LockBody, err error) {
	if err = OneReading(body, LockNames); err == nil {
		err = json.Unmarshal(body, &is)
	}
	if err == nil {
		err = json.Unmarshal(body, new(struct {
			Only bool `json:"onlyThisBroker"` // of a wrong kind, it could change how the others are read
		}))
	}
	if err == nil && (is.Group == "" || is.Client == "") { // null to brokers
		err = errors.New("consumerGroup or clientId is missing")
	}
	return is, err
}

// ParseLocks reads the answer to LOCK_BATCH_MQ. Errors: as ParseLock's.
func ParseLocks(body []byte) (is Locks, err error) {
	if err = OneReading(body, LockNames); err == nil {
		err = json.Unmarshal(body, &is)
	}
	return is, err
}
