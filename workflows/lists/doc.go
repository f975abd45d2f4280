// Package lists has what workflows do with short lists of names.
package lists
