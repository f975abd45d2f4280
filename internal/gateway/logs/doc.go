// Package logs keeps what clients can bring about again and again from filling the log.
package logs
