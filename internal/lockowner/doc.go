// Package lockowner names who holds the lanes' queue locks, and tells whether the one before may be
// followed at once.
package lockowner
