package activities

import (
	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
)

// slaveFindings tell which brokers are read from a slave.
func slaveFindings(brokers []rocketmq.Broker) (all []api.Finding) {
	for _, b := range brokers {
		if b.Slave {
			all = append(all, clusters.Warning("source broker "+b.Name,
				"start its master before the first step of Shift; when it is there, it is read again",
				"has no master and is read from its slave %s, as source.readSlaves says: what the master had "+
					"and hadn't passed on isn't seen, nothing is copied back to it, and nothing moves", b.Addr))
		}
	}
	return all
}

// leftBehind tells which brokers the plan leaves out.
func leftBehind(leftOut []string) (all []api.Finding) {
	for _, name := range leftOut {
		all = append(all, clusters.Warning("source broker "+name, "move by hand what is on it, or take it out of source.leftOut",
			"is left out by the plan: its queues, messages and positions aren't looked at"))
	}
	return all
}
