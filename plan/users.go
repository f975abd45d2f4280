package plan

import (
	"path"
	"regexp"
	"strings"
)

// Users says that users and rights are taken along from ACL 1.0 of the source to ACL 2.0 of the
// target, with topics and groups.
type Users struct {
	// Conflicts is the decision for users that the target has already and that differ; refuse if
	// absent.
	Conflicts Decision `json:"conflicts,omitzero"`
	// Files are files and folders of ACL 1.0, such as plain_acl.yml and acl, below the folder users
	// of the worker's home, for a source that doesn't tell its accounts; the live source if absent.
	Files []string `json:"files,omitempty"`
	// NewSecrets is a file below that folder, which must be there, with mode 0600. It gets the
	// secrets that are made for users whose old ones the source hides; without it that is refused.
	NewSecrets string `json:"newSecrets,omitempty"`
}

// Decision is what happens to users of the target that aren't as the source's.
func (u Users) Decision() Decision { return either(u.Conflicts, DecisionRefuse) }

func readUsers(o *object, u **Users) {
	o.object("users", func(o *object) {
		*u = &Users{}
		var conflicts string
		o.text("conflicts", &conflicts)
		(*u).Conflicts = Decision(conflicts)
		o.texts("files", &(*u).Files)
		o.text("newSecrets", &(*u).NewSecrets)
	})
}

func checkUsers(c *Problems, p Plan) {
	if p.Users == nil {
		return
	}
	checkDecision(c, "users.conflicts", p.Users.Decision())
	for _, name := range p.Users.Files {
		checkWorkerFile(c, "users.files", name)
	}
	if p.Users.NewSecrets != "" {
		checkWorkerFile(c, "users.newSecrets", p.Users.NewSecrets)
	}
	switch {
	case p.Target.Proxy != "":
		c.add("users", "target.proxy is given, and a proxy takes no users; leave it out, and make them on the target "+
			"by rocketshift users, or by its console")
	case p.Target.Proxied():
		c.add("users", "of an instance of provider %s only a proxy can be reached, and it takes no users; leave it out, "+
			"and make accounts by its console", p.Target.Provider)
	}
	if p.Target.Credentials == nil {
		c.add("users", "target.credentials is missing; want the keys of a super user of the target")
	}
}

// workerFile is a name that means the same on all machines.
var workerFile = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._/-]*$`)

// checkWorkerFile refuses what isn't below the worker's folder: whoever writes plans names no other
// file of its machine.
func checkWorkerFile(c *Problems, at, name string) {
	const longest = 200
	if len(name) > longest || !workerFile.MatchString(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") {
		c.add(at, "%s; want a file or folder below the folder users of the worker's home, such as plain_acl.yml or "+
			"broker-a/acl", given(name))
	}
}
