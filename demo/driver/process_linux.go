package driver

import "syscall"

// dieWithParent has the kernel kill the program when the driver is killed.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
