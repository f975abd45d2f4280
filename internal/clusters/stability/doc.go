// Package stability notes for how long numbers have been standing still.
package stability
