// Package workflows holds the migration's durable stories: Migration and the ten stages that it
// runs as children, each of which a person may start alone with the same input, one plan.
//
// A workflow only orchestrates. What touches a cluster is an activity. The packages below, each of
// which imports only those before it:
//
//	change, lists   which changes of commands a run has; short lists of names
//	call            how activities are called, and what their errors mean
//	message, report what a workflow is told while it runs; what a stage tells its migration
//	stage           status, approvals and steering: what every workflow has in front of people
//	moving          what Shift, Rollback and Migration share
//	prepare, lanes, settle, shift, rollback: the stages
//
// Migration itself is here, with the services that it keeps.
package workflows
