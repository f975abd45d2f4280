// Package rollback returns everything to the source: the workflow Rollback, by releases and by
// gateways, with and without the target.
package rollback
