// Package routing names where requests go: the two sides, and the servers of each.
package routing
