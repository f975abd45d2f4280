// Package report is what a stage tells its migration of itself: what has changed since it told
// last, field by field, in any order.
package report
