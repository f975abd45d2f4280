// Package driver plays the demo: it starts a real 4.9.7 cluster with running applications and an embedded Temporal server,
// lets rocketshift migrate them to a 5.x cluster, and judges from the applications' own ledgers whether anybody was harmed.
//
// The driver plays the people and machines around a migration: the release pipeline, which restarts applications with other
// name servers when the migration asks for it, and the approver. It talks to the migration only as those would: by the
// command line and the status query. Everything that it starts ends with it.
package driver
