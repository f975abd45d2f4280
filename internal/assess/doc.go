// Package assess is `rocketshift assess`: the look of stage Assess without Temporal, read-only and
// with a bound on its calls, so that it may be asked of a cluster in production; and what is made of
// it: a report, and a first plan.
package assess
