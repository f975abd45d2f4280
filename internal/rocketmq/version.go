package rocketmq

import (
	"strconv"
	"strings"
)

// firstWithProducers is the version from which on brokers list their producers
// (GET_ALL_PRODUCER_INFO). Earlier ones answer nothing, or that they don't know the request.
const firstWithProducers = "4.9.4"

// TellsProducers reports whether the broker lists its producers, as far as its version says it.
func (b Broker) TellsProducers() bool { return !earlier(b.Version, firstWithProducers) }

// earlier compares versions such as 4.7.1; false where one can't be read.
func earlier(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range min(len(a), len(b)) {
		x, errX := strconv.Atoi(a[i])
		y, errY := strconv.Atoi(b[i])
		if errX != nil || errY != nil {
			return false
		}
		if x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}
