// Package shift moves applications to the target: the workflows Shift, by releases and by gateways,
// and EndPhase.
package shift
