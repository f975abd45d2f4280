package rights

import (
	"regexp"
	"slices"
	"strings"
)

// ACL1 is what ACL 1.0 of a cluster says, without secrets.
type ACL1 struct {
	// GlobalAddresses are globalWhiteRemoteAddresses: from there everybody may do everything,
	// without any key.
	GlobalAddresses []string `json:"globalWhiteRemoteAddresses,omitempty"`
	Users           []User   `json:"users"`
}

// Names are the names of topics and groups on the target.
type Names struct{ Topic, Group func(string) string }

// SameNames leaves names as they are.
func SameNames() Names {
	same := func(name string) string { return name }
	return Names{Topic: same, Group: same}
}

// of is a resource's name on the target.
func (n Names) of(r Resource) Resource {
	switch r.Kind {
	case Topic:
		r.Name = n.Topic(r.Name)
	case Group:
		r.Name = n.Group(r.Name)
	case AnyKind, Cluster, Namespace: // they have one name on both sides, or none
	}
	return r
}

// Map makes users of ACL 2.0 of those of ACL 1.0, so that who has signed may do the same. What
// can't be kept is in the notes.
func Map(a ACL1, names Names) (users []User, list []Note) {
	for _, pattern := range a.GlobalAddresses {
		list = append(list, Note{
			Kind: NotKept, Object: "globalWhiteRemoteAddresses " + pattern,
			Text: "clients from there need no keys on the source; on the target each client signs",
			Do:   "give the applications that run there an account of their own, and its keys",
		})
	}
	for _, u := range a.Users {
		m := mapper{User: u, names: names, notes: notes{user: u.Name}}
		users = append(users, m.mapped())
		list = append(list, m.list...)
	}
	return users, list
}

// mapper maps one user.
type mapper struct {
	User
	names Names
	notes
}

func (m *mapper) mapped() User {
	m.judgeName()
	u := User{Name: m.Name, Type: Super, Status: Enabled}
	if m.Type == Super && len(m.Rights) == 0 {
		if m.Addresses != "" {
			m.add(Changed, "whiteRemoteAddress "+m.Addresses, "",
				"from there its signature isn't checked on the source; on the target it is")
		}
		return u
	}
	u.Type = Normal
	if m.Type == Super {
		m.add(Changed, "", "make it a super user by hand if it should do more",
			"the source holds this admin to its lists for messages, which a super user of ACL 2.0 isn't: it "+
				"becomes a normal user that may create and delete every topic and group")
	}
	whole, sources := m.everythingFrom()
	if whole {
		u.Rights = []Right{{Resource: Resource{Kind: AnyKind, Pattern: Any}, Actions: []Action{All}, Decision: Allow}}
		return u
	}
	u.Rights = m.rights(sources)
	return u
}

// plainName is what every part of 5.x takes in a name: gRPC clients send it in a header with
// commas, slashes and equal signs.
var (
	plainName = regexp.MustCompile(`^[^\s,/=;]+$`)
	cloudName = regexp.MustCompile(`^[A-Za-z0-9_-]{3,64}$`)
)

func (m *mapper) judgeName() {
	if !plainName.MatchString(m.Name) {
		m.add(NotKept, "", "give applications that will use gRPC another account",
			"its name has a space, comma, slash, semicolon or equal sign: gRPC clients can't send it, others can")
	}
	if !cloudName.MatchString(m.Name) {
		m.add(CloudOnly, "", "", "ApsaraMQ takes names of 3 to 64 letters, digits, hyphens and underscores")
	}
}

// everythingFrom is from where the user may do everything: from everywhere, or from these.
func (m *mapper) everythingFrom() (everywhere bool, sources []string) {
	if m.Addresses == "" {
		return false, nil
	}
	object := "whiteRemoteAddress " + m.Addresses
	from := Parse1(m.Addresses)
	sources, err := from.Sources()
	switch {
	case err != nil:
		m.add(NotKept, object, "check what runs there", "%s: from there the user may do everything on the source, "+
			"and only what its lists allow on the target", err)
	case len(m.blocked()) > 0:
		m.add(NotKept, object, "check what runs there", "from there the user may do everything on the source; on the "+
			"target an own right of %s would have to say two things", m.blocked()[0].Name)
		sources = nil
	default:
		m.add(Changed, object, "check that what runs there has the right keys",
			"from there the user may do everything, also on the target; its signature, which the source doesn't check "+
				"there, is checked on the target")
	}
	return from.everywhere && err == nil, sources
}

// blocked are the resources that need an allowing and a denying entry beside each other.
func (m *mapper) blocked() (all []Resource) {
	for _, r := range m.own() {
		if has := m.actions(r); len(has) > 0 && len(m.missing(r.Resource, has)) > 0 {
			all = append(all, r.Resource)
		}
	}
	return all
}

// own are the user's rights, and that for traces, which ACL 1.0 doesn't ask for.
func (m *mapper) own() []Right {
	own := slices.Clone(m.Rights)
	trace := TopicNamed(TraceTopic)
	at := slices.IndexFunc(own, func(r Right) bool { return r.Resource == trace })
	switch {
	case at < 0 && m.DefaultTopic.allows(Send):
	case at < 0:
		own = append(own, Right{
			Resource: trace, Decision: Allow, Actions: append([]Action{Send}, m.DefaultTopic.Actions()...),
		})
	case own[at].Decision == Refuse:
		own[at] = Right{Resource: trace, Decision: Allow, Actions: []Action{Send}}
	case !slices.Contains(own[at].Actions, Send):
		own[at].Actions = append([]Action{Send}, own[at].Actions...)
	}
	return own
}

// rights are the entries of ACL 2.0. Entries with an action match only that: what an own right
// doesn't allow would fall to the default, so it is denied there. The default for all names comes
// first in the list: up to 5.3.3 brokers then choose the literal name, as later ones always do.
func (m *mapper) rights(sources []string) []Right {
	// The entry for addresses must be asked before all others, so they go to the Default policy.
	inDefault := len(sources) > 0
	var custom, defaults []Right
	if inDefault {
		custom = append(custom, Right{
			Resource: Resource{Kind: AnyKind, Pattern: Any}, Actions: []Action{All}, Decision: Allow, Sources: sources,
		})
	}
	for _, kind := range []Kind{Topic, Group, Cluster} {
		if actions := m.byDefault(kind); len(actions) > 0 {
			defaults = append(defaults, Right{
				Resource: Resource{Kind: kind, Pattern: Any}, Actions: actions, Decision: Allow, Default: true,
			})
		}
	}
	for _, right := range m.own() {
		r, name := right.Resource, m.names.of(right.Resource)
		if strings.HasSuffix(name.Name, "*") || name.Name == "" {
			m.add(
				NotKept,
				string(r.Kind)+" "+name.Name,
				"",
				"ACL 2.0 would read this name as a pattern; the right is left out",
			)
			continue
		}
		has := m.actions(right)
		entry := Right{Resource: name, Actions: has, Decision: Allow, Default: inDefault}
		if len(has) == 0 {
			entry.Actions, entry.Decision = m.everything(), Refuse
		}
		if inDefault {
			defaults = append(defaults, entry)
			continue
		}
		custom = append(custom, entry)
		if missing := m.missing(r, has); len(has) > 0 && len(missing) > 0 {
			defaults = append(defaults, Right{Resource: name, Actions: missing, Decision: Refuse, Default: true})
		}
	}
	return append(custom, defaults...)
}

// everything is what is denied where nothing is allowed. An admin may still create and delete.
func (m *mapper) everything() []Action {
	if m.Type == Super {
		return []Action{Send, Read}
	}
	return []Action{All}
}

// actions are those of ACL 2.0 that an own right allows.
func (m *mapper) actions(r Right) []Action {
	if r.Decision == Refuse {
		return nil
	}
	return translated(r.Resource.Kind, r.Actions)
}

// translated adds what ACL 1.0 doesn't ask for and clients that read need: the ends of queues and
// offsets by time are Get for ACL 2.0. Groups are only read with.
func translated(kind Kind, actions []Action) (out []Action) {
	if slices.Contains(actions, Send) && kind == Topic {
		out = append(out, Send)
	}
	if slices.Contains(actions, Read) {
		out = append(out, Read, Get)
	}
	return out
}

// byDefault is what the user may do with what has no own right.
func (m *mapper) byDefault(kind Kind) (out []Action) {
	if kind == Cluster {
		if m.Type == Super {
			out = []Action{Get, List}
		}
		return out
	}
	of := m.DefaultTopic
	if kind == Group {
		of = m.DefaultGroup
	}
	out = translated(kind, of.Actions())
	if m.Type == Super {
		out = append(out, Create, Delete, List) // not Update, by which positions may be committed
	}
	return out
}

// missing is what the default allows and the own right doesn't.
func (m *mapper) missing(r Resource, has []Action) (out []Action) {
	for _, a := range m.byDefault(r.Kind) {
		if a == Send || a == Read || a == Get {
			if !slices.Contains(has, a) {
				out = append(out, a)
			}
		}
	}
	return out
}
