package rocketmq

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBrokersListProducersFrom494On(t *testing.T) {
	for version, tells := range map[string]bool{
		"4.5.2": false, "4.7.1": false, "4.9.3": false, "4.9.4": true, "4.9.7": true, "4.10.0": true,
		"5.3.3": true, "": true,
	} {
		assert.Equal(t, tells, Broker{Version: version}.TellsProducers(), version)
	}
}
