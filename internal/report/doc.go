// Package report renders the status of a migration as a page for people.
package report
