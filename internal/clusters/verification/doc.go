// Package verification compares lanes by content, and carries from attempt to attempt how far it
// is.
package verification
