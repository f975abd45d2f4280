// Package change names the changes of what workflows command, and tells which of them a run has.
package change
