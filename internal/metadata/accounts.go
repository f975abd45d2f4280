package metadata

import "rocketshift/internal/metadata/rights"

// TakeAccounts takes the users of ACL 1.0 into the model, as ACL 1.0 writes them. The gaps say what
// a model doesn't hold of it.
func (c *Cluster) TakeAccounts(a rights.ACL1, gaps *Gaps) {
	c.Users = append(c.Users, a.Users...)
	if len(a.GlobalAddresses) > 0 {
		gaps.Add("clients without keys", "a model holds users alone, and ACL 1.0 lets these addresses in without any: "+
			"see rocketshift users diff", a.GlobalAddresses...)
	}
	if len(a.Users) > 0 {
		gaps.Add("secrets of users", "a model holds none: rocketshift users takes them from broker, or file, to broker")
	}
}
