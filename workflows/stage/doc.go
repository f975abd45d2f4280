// Package stage is what every workflow of a migration has in front of people: one status, one way
// to ask for an approval, one set of messages (approve, hold, resume, back and released), and what
// a stage tells its migration.
package stage
