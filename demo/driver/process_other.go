//go:build !linux

package driver

import "syscall"

// dieWithParent needs Linux: elsewhere a driver that is killed by force leaves its programs
// running.
func dieWithParent(*syscall.SysProcAttr) {}
