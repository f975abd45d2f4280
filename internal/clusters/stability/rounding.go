package stability

import "time"

// RoundTo is how exactly people are told for how long something has been standing.
const RoundTo = 250 * time.Millisecond
