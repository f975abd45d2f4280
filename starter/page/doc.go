// Package page shows a status to people: as one picture that fits a terminal, and as lines that
// tell what has changed.
package page
