package lab

import (
	"fmt"
	"time"
)

// CPU is the processor time that the cluster's servers have used since they started, user and system.
func (c *Cluster) CPU() (time.Duration, error) {
	var sum time.Duration
	for _, r := range []role{roleNameServer, roleBroker, roleProxy} {
		for _, s := range c.servers(r) {
			used, err := ProcessCPU(s.Process.PID)
			if err != nil {
				return 0, fmt.Errorf("processor time of %s %s: %w", s.Role, s.Name, err)
			}
			sum += used
		}
	}
	return sum, nil
}
