// Package call says how workflows call activities: for how long, how often, what people read of it,
// and what an error means.
package call
