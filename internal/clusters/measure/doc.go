// Package measure tells how far lanes are, and what applications do meanwhile: who writes and reads
// where, since when nobody does, and whether messages go as homes ask.
package measure
