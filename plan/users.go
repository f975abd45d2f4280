package plan

// Users says that users and rights are taken along from ACL 1.0 of the source to ACL 2.0 of the
// target, with topics and groups.
type Users struct {
	// Conflicts is the decision for users that the target has already and that differ; refuse if
	// absent.
	Conflicts Decision `json:"conflicts,omitzero"`
}

// Decision is what happens to users of the target that aren't as the source's.
func (u Users) Decision() Decision { return either(u.Conflicts, DecisionRefuse) }

func readUsers(o *object, u **Users) {
	o.object("users", func(o *object) {
		*u = &Users{}
		var conflicts string
		o.text("conflicts", &conflicts)
		(*u).Conflicts = Decision(conflicts)
	})
}

func checkUsers(c *Problems, p Plan) {
	if p.Users == nil {
		return
	}
	checkDecision(c, "users.conflicts", p.Users.Decision())
	if p.Target.Proxy != "" {
		c.add("users", "target.proxy is given, and a proxy takes no users; leave it out, and make them on the target "+
			"by rocketshift users, or by its console")
	}
	if p.Target.Credentials == nil {
		c.add("users", "target.credentials is missing; want the keys of a super user of the target")
	}
}
