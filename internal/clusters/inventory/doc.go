// Package inventory looks at both clusters before anything is bought or written, and says what
// speaks against a migration.
package inventory
