// Package lane holds the words that lanes are spoken of in: a queue, a lane, its progress and
// faults, answers to faults, rates, and stragglers. It is data alone, which travels in heartbeats
// and results.
package lane
