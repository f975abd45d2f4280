package secrets

import (
	"net/url"
	"strings"
)

const (
	// Cloud is the prefix of the variables from which keys of Alibaba Cloud come.
	Cloud = "ALIBABA_CLOUD"
	// CloudAt is the variable with the address of a simulated cloud, http://host:port.
	CloudAt = "ROCKETSHIFT_APSARA"
)

// CloudAddress allows the use of the cloud's keys with one of its hosts, and returns the address of
// the simulator that stands for it; empty without one. Whoever starts a migration could otherwise
// spend money that isn't theirs.
func (s *Store) CloudAddress(host string) (at string, err error) {
	wanted := host + ":443"
	if at = s.getenv(CloudAt); at != "" {
		u, err := url.Parse(at)
		if err != nil || u.Scheme != "http" || u.Host == "" {
			return "", missing("%s is no http://host:port", CloudAt)
		}
		wanted, host = u.Host, u.Host
	}
	if _, allowed := s.find(Cloud, wanted); !allowed {
		return "", forbidden("target.provider aliyun: this worker doesn't use its keys of Alibaba Cloud with %s, as its "+
			"own configuration doesn't name that host: set %s=\"%s=%s\", beside what it has, where the worker runs and "+
			"restart it, or correct the plan", host, Variable, Cloud, strings.TrimSuffix(wanted, ":443"))
	}
	return at, nil
}
