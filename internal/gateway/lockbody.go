package gateway

import (
	"encoding/json"
	"errors"

	"rocketshift/internal/gateway/wire"
)

// lockBody is what LOCK_BATCH_MQ and UNLOCK_BATCH_MQ carry (LockBatchRequestBody).
type lockBody struct {
	Group  string     `json:"consumerGroup"`
	Client string     `json:"clientId"`
	Queues jsonQueues `json:"mqSet"`
}

// locks is what LOCK_BATCH_MQ is answered with (LockBatchResponseBody).
type locks struct {
	Queues jsonQueues `json:"lockOKMQSet"`
}

// jsonQueue is a MessageQueue.
type jsonQueue struct {
	Topic  string `json:"topic"`
	Broker string `json:"brokerName"`
	ID     int    `json:"queueId"` // of 32 bits
}

// jsonQueues are a set of them.
type jsonQueues []jsonQueue

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
		*q = append(*q, jsonQueue{*is.Topic, *is.Broker, int(*is.ID)})
	}
	return nil
}

// lockNames are the members of both bodies that are looked at.
var lockNames = wire.NamesOf(
	"consumerGroup", "clientId", "mqSet", "onlyThisBroker", "lockOKMQSet", "topic", "brokerName",
	"queueId")

// parseLock reads the body of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ. Errors: errTwoReadings, and those
// of bodies that are none.
func parseLock(body []byte) (is lockBody, err error) {
	if err = oneReading(body, lockNames); err == nil {
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

// parseLocks reads the answer to LOCK_BATCH_MQ. Errors: as parseLock's.
func parseLocks(body []byte) (is locks, err error) {
	if err = oneReading(body, lockNames); err == nil {
		err = json.Unmarshal(body, &is)
	}
	return is, err
}
