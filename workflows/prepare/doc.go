// Package prepare has the workflows that come before anything moves: Assess, Purchase,
// ImportMetadata and Verify.
package prepare
