package api

import "rocketshift/replicator/lane"

// Side names one of the two clusters.
type Side = lane.Side

// The two sides of a migration.
const (
	Source = lane.SideSource
	Target = lane.SideTarget
)
