package transfer

import (
	"context"
	"errors"
	"fmt"

	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/acl1"
	"rocketshift/internal/metadata/rights/keyring"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Request is what a transfer needs.
type Request struct {
	Source     Source
	Target     *rocketmq.Cluster
	Own        string           // the user as which the target is called: it is never changed
	Renames    rocketmq.Renames // of topics and groups; also of Target's client
	Conflicts  plan.Decision
	NewSecrets string // file of secrets that are made for users whose old ones can't be read
}

// Change is one thing that is written to one broker.
type Change struct {
	Broker string `json:"broker"`
	User   string `json:"user"`
	What   string `json:"what"`
	do     func(context.Context) error
}

// Conflict is a user that a broker of the target has already, and that isn't as the source's.
type Conflict struct {
	Broker string `json:"broker"`
	User   string `json:"user"`
	Text   string `json:"text"`
}

// Review is what a transfer would do.
type Review struct {
	Users     []rights.User `json:"users"` // as the target will have them
	Notes     []rights.Note `json:"notes,omitempty"`
	Brokers   []string      `json:"brokers"`
	Changes   []Change      `json:"changes"`
	Same      int           `json:"same"` // users of brokers that are as wanted
	Conflicts []Conflict    `json:"conflicts,omitempty"`
	Kept      []Conflict    `json:"kept,omitempty"` // conflicts whose users stay as they are
	Made      []string      `json:"newSecrets,omitempty"`

	request Request
	source  *acl1.Config
	secrets *keyring.Ring // of all users
	fresh   *keyring.Ring // those made now
}

// Prepare reads both sides and finds what is to be done. It writes nothing.
func (q Request) Prepare(ctx context.Context) (*Review, error) {
	source, err := q.Source.Read(ctx)
	if err != nil {
		return nil, err
	}
	r := &Review{request: q, source: source, secrets: source.Secrets, fresh: &keyring.Ring{}, Changes: []Change{}}
	if err := r.findSecrets(); err != nil {
		return nil, err
	}
	r.Users, r.Notes = rights.Map(source.ACL1, q.names())
	r.judgeSecrets()
	all, err := nodes(ctx, q.Target)
	if err != nil {
		return nil, err
	}
	r.Notes = append(r.Notes, ofServers(all)...)
	for _, n := range all {
		r.Brokers = append(r.Brokers, n.Name)
		for _, u := range r.Users {
			r.compare(n, u)
		}
	}
	return r, nil
}

func (q Request) names() rights.Names {
	return rights.Names{Topic: q.Renames.Topic, Group: q.Renames.Group}
}

// ErrHidden is the error of a transfer from a source that hides secrets, without a file for new ones.
var ErrHidden = errors.New("the source hides the secrets")

// findSecrets takes secrets that the source hides from the file, where an earlier run has written
// them, and makes the others.
func (r *Review) findSecrets() error {
	if len(r.source.Hidden) == 0 {
		return nil
	}
	if r.request.NewSecrets == "" {
		return fmt.Errorf("%w of %d users, such as %s: give its files to rocketshift users by --acl, or have new "+
			"secrets made and written to a file by --new-secrets FILE", ErrHidden, len(r.source.Hidden), r.source.Hidden[0])
	}
	before, err := keyring.Read(r.request.NewSecrets)
	if err != nil {
		return err
	}
	for _, user := range r.source.Hidden {
		secret, known := before.Of(user)
		if !known {
			secret = keyring.Made()
			r.fresh.Put(user, secret)
		}
		r.Made = append(r.Made, user)
		r.secrets.Put(user, secret)
	}
	return nil
}

// longestCloudSecret is how long passwords of the cloud's accounts may be.
const longestCloudSecret = 64

func (r *Review) judgeSecrets() {
	for _, u := range r.Users {
		if secret, _ := r.secrets.Of(u.Name); len(secret) > longestCloudSecret {
			r.Notes = append(r.Notes, rights.Note{
				Kind: rights.CloudOnly, User: u.Name, Text: "ApsaraMQ takes passwords of 3 to 64 characters",
			})
		}
	}
}

// compare finds what is to be done with a user on a broker.
func (r *Review) compare(n *node, wanted rights.User) {
	has, there := n.state.User(wanted.Name)
	change := func(what string, do func(context.Context) error) {
		r.Changes = append(r.Changes, Change{n.Name, wanted.Name, what, do})
	}
	secret, _ := r.secrets.Of(wanted.Name)
	if !there {
		change("create the user", func(ctx context.Context) error { return n.Create(ctx, wanted, secret) })
		if len(wanted.Rights) > 0 {
			change(fmt.Sprintf("grant %d rights", len(wanted.Rights)),
				func(ctx context.Context) error { return n.Grant(ctx, wanted) })
		}
		return
	}
	differs := r.differences(n, has, wanted)
	switch {
	case differs == "":
		r.Same++
	case differs == rightsMissing && wanted.Name != r.request.Own: // an earlier run was interrupted
		change(fmt.Sprintf("grant %d rights", len(wanted.Rights)),
			func(ctx context.Context) error { return n.Grant(ctx, wanted) })
	default:
		r.conflict(n, has, wanted, differs)
	}
}

// rightsMissing is the difference that a run leaves which was interrupted between its two calls.
const rightsMissing = "it has no rights there"

// differences says how a user on a broker isn't as wanted; empty if it is.
func (r *Review) differences(n *node, has, wanted rights.User) string {
	_, told := n.state.Secrets.Of(wanted.Name)
	switch {
	case told && !n.state.Secrets.Same(r.secrets, wanted.Name):
		return "it has another secret there"
	case has.Type != wanted.Type:
		return fmt.Sprintf("it is a %s user there, and a %s one by the source", has.Type, wanted.Type)
	case has.Status != wanted.Status:
		return "it is disabled there"
	case wanted.Type == rights.Super || sameRights(has.Rights, wanted.Rights, n.rules):
		return ""
	case len(has.Rights) == 0:
		return rightsMissing
	}
	return "it has other rights there"
}

// conflict decides about a user that isn't as wanted. Who the target is called as stays as it is,
// and super users stay super users: servers may call each other as one.
func (r *Review) conflict(n *node, has, wanted rights.User, text string) {
	c := Conflict{Broker: n.Name, User: wanted.Name, Text: text}
	switch {
	case wanted.Name == r.request.Own:
		c.Text += "; it stays so, as the target is called as this user"
		r.Kept = append(r.Kept, c)
	case r.request.Conflicts == plan.DecisionKeep:
		r.Kept = append(r.Kept, c)
	case r.request.Conflicts != plan.DecisionChange:
		r.Conflicts = append(r.Conflicts, c)
	case has.Type == rights.Super && wanted.Type != rights.Super:
		c.Text += "; a super user isn't made less than that: servers may call each other as it; change it by hand, or " +
			"keep it"
		r.Conflicts = append(r.Conflicts, c)
	default:
		secret, _ := r.secrets.Of(wanted.Name)
		r.Changes = append(r.Changes, Change{
			n.Name, wanted.Name, "replace it: " + text,
			func(ctx context.Context) error { return replace(ctx, n, has, wanted, secret) },
		})
	}
}
