// Package moving is what the workflows share that move applications between the two sides, or bring
// them back: to ask for releases and wait until they are seen, to fence groups and open them again,
// and what to do while the target, or a broker of the source, doesn't answer.
package moving
