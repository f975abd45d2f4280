// Package fleet reads what gateways say of a migration: whose homes are where, what the target
// owes, and who bypasses the gateways.
package fleet
