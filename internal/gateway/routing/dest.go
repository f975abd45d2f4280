package routing

import (
	"strings"

	"rocketshift/replicator/lane"
)

// Dest is where an upstream goes to.
type Dest struct {
	Side   Side
	Broker string // its name; of a slave with # and its id
}

// Slave reports whether it is a slave of the source.
func (d Dest) Slave() bool { return strings.Contains(d.Broker, "#") }

// NameServers is the dest of a client's connection to the source's name servers.
var NameServers = Dest{Source, "@"}

// MostOfTopic is how many queues a topic may have on a side. Brokers take numbers up to 2^31;
// operators give topics tens, and the largest ones a few thousand. Consumers poll, lock and
// commit each queue by itself, and list all of them for each message that they send.
const MostOfTopic = lane.MostQueues
