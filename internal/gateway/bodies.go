package gateway

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"rocketshift/internal/gateway/wire"
)

// beatNames are the members of heartbeats that are looked at (HeartbeatData, ConsumerData, ProducerData).
var beatNames = wire.NamesOf("clientID", "consumerDataSet", "producerDataSet", "groupName", "messageModel")

// beat is what a heartbeat says.
type beat struct {
	client string
	reads  []membership
	writes []string // producer groups
}

// identity tells clients apart. Two applications may have one id, such as those of one host network: then their groups differ.
func (b beat) identity() string {
	if b.client == "" {
		return ""
	}
	var all []string
	for _, m := range b.reads {
		all = append(all, "reads "+m.Group)
	}
	for _, group := range b.writes {
		all = append(all, "writes "+group)
	}
	slices.Sort(all)
	return b.client + "\n" + strings.Join(slices.Compact(all), "\n")
}

// parseBeat reads a heartbeat's body. Errors: errTwoReadings, and those of bodies that are none.
func parseBeat(body []byte) (beat, error) {
	if err := oneReading(body, beatNames); err != nil {
		return beat{}, err
	}
	var is struct {
		Client string       `json:"clientID"`
		Reads  []membership `json:"consumerDataSet"`
		Writes []struct {
			Group string `json:"groupName"`
		} `json:"producerDataSet"`
	}
	if err := json.Unmarshal(body, &is); err != nil {
		return beat{}, err
	}
	b := beat{client: is.Client, reads: is.Reads}
	for _, one := range is.Writes {
		b.writes = append(b.writes, one.Group)
	}
	if slices.Contains(b.writes, "") || slices.ContainsFunc(b.reads, membership.nameless) {
		return beat{}, errors.New("a group without a name")
	}
	return b, nil
}
