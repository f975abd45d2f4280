// Package connect opens what a plan names: both clusters, wherever they are, and the control APIs
// of gateways. It keeps the connections for all who ask in one process.
package connect
