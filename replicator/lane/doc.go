// Package lane has the types that describe lanes: a queue, a lane, its progress and faults, answers
// to faults, rates, and stragglers. They are data alone, and travel in heartbeats and results.
package lane
