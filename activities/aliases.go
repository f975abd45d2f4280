package activities

import (
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/clusters/measure"
)

// What activities answer as it is measured. Workflows know it by these names.
type (
	// ReplicationState is how far all lanes of the plan are.
	ReplicationState = measure.Summary
	// Members counts a group's connected clients on both sides.
	Members = measure.Members
	// GroupPositions is what was translated and written for one group.
	GroupPositions = consumers.Positions
	// Stranded are groups that read on neither side.
	Stranded = consumers.Stranded
	// Owed is what lies on the target since queues returned to the source without it.
	Owed = fleet.Owed
)
