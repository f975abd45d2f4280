// Package labtest gives tests real clusters and a real Temporal server.
package labtest

import (
	"testing"

	"rocketshift/internal/lab"
)

// Main runs a test binary's tests and then ends the clusters that they shared. Use it as
//
//	func TestMain(m *testing.M) { labtest.Main(m) }
func Main(m *testing.M) { panic("stub") }

// Cluster returns a cluster of the given version with two brokers (5.x: one broker and a proxy).
// Tests of one binary share it, so they use topic and group names of their own and break nothing in it.
func Cluster(t testing.TB, version string) *lab.Cluster { panic("stub") }

// OwnCluster returns a cluster that only this test uses, and may break.
func OwnCluster(t testing.TB, spec lab.ClusterSpec) *lab.Cluster { panic("stub") }

// Temporal returns a Temporal development server that this binary's tests share.
func Temporal(t testing.TB) *lab.Temporal { panic("stub") }
