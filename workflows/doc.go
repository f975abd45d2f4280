// Package workflows holds the migration's durable stories: Migration and the ten stages that it
// runs as children, each of which a person may start alone with the same input, one plan.
//
// A workflow here only orchestrates. What touches a cluster is an activity. What a person sees and
// says goes through the stage run (stagerun.go): one status, one way to ask for an approval, one
// set of handlers for approve, hold, resume, back and released.
package workflows
