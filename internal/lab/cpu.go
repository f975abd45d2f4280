package lab

import (
	"fmt"
	"time"
)

// CPU is the processor time that the cluster's servers have used since they started, user and
// system.
func (c *Cluster) CPU() (time.Duration, error) { return c.cpuOf(roleNameServer, roleBroker, roleProxy) }

// ProxyCPU is the part of it that the proxy has used.
func (c *Cluster) ProxyCPU() (time.Duration, error) { return c.cpuOf(roleProxy) }

func (c *Cluster) cpuOf(roles ...role) (time.Duration, error) {
	var sum time.Duration
	for _, r := range roles {
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
