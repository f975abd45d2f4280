// Package consumers moves consumer groups between the sides: it fences and opens them, carries
// their positions over, and finds those that read nowhere.
package consumers
