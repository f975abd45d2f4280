package acl2

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/metadata/rights"
)

// userInfo is a user on the wire (UserInfo, 5.3.3).
type userInfo struct {
	Username string `json:"username"`
	Password string `json:"password,omitempty"`
	Type     string `json:"userType,omitempty"`   // Super or Normal
	Status   string `json:"userStatus,omitempty"` // enable or disable
}

// aclInfo is the rights of a user on the wire (AclInfo, 5.3.3).
type aclInfo struct {
	Subject  string       `json:"subject"` // User:name
	Policies []policyInfo `json:"policies"`
}

type policyInfo struct {
	Type    string      `json:"policyType,omitempty"` // Custom or Default
	Entries []entryInfo `json:"entries"`
}

type entryInfo struct {
	Resource string   `json:"resource"`
	Actions  []string `json:"actions"`
	Sources  []string `json:"sourceIps,omitempty"`
	Decision string   `json:"decision"`
}

const (
	subjectPrefix = "User:"
	custom        = "Custom"
	byDefault     = "Default"
)

func typeOnWire(t rights.Type) string {
	if t == rights.Super {
		return "Super"
	}
	return "Normal"
}

func (u userInfo) user() rights.User {
	out := rights.User{Name: u.Username, Type: rights.Normal, Status: rights.Enabled}
	if strings.EqualFold(u.Type, "Super") {
		out.Type = rights.Super
	}
	if strings.EqualFold(u.Status, string(rights.Disabled)) {
		out.Status = rights.Disabled
	}
	return out
}

// resourceOnWire is a resource's key, such as Topic:orders, Group:* or Topic:ord*.
func resourceOnWire(r rights.Resource) string {
	switch {
	case r.Kind == rights.AnyKind:
		return "*"
	case r.Pattern == rights.Any:
		return string(r.Kind) + ":*"
	case r.Pattern == rights.Prefix:
		return string(r.Kind) + ":" + r.Name + "*"
	}
	return string(r.Kind) + ":" + r.Name
}

// resourceOf reads a resource's key (Resource.of, 5.3.3).
func resourceOf(key string) (rights.Resource, error) {
	if key == "*" {
		return rights.Resource{Kind: rights.AnyKind, Pattern: rights.Any}, nil
	}
	kind, name, ok := strings.Cut(key, ":")
	r := rights.Resource{Kind: rights.Kind(kind), Pattern: rights.Literal, Name: name}
	if !ok || !slices.Contains([]rights.Kind{rights.Topic, rights.Group, rights.Cluster, rights.Namespace}, r.Kind) {
		return r, fmt.Errorf("resource %q isn't known: want one of a Topic, Group, Cluster or Namespace", key)
	}
	if before, pattern := strings.CutSuffix(name, "*"); pattern {
		r.Name, r.Pattern = before, rights.Prefix
		if before == "" {
			r.Pattern = rights.Any
		}
	}
	return r, nil
}

var actions = []rights.Action{
	rights.All, rights.Send, rights.Read, rights.Create, rights.Update, rights.Delete, rights.Get, rights.List,
}

func (e entryInfo) right(inDefault bool) (r rights.Right, err error) {
	r = rights.Right{Decision: rights.Allow, Sources: e.Sources, Default: inDefault}
	if r.Resource, err = resourceOf(e.Resource); err != nil {
		return r, err
	}
	if strings.EqualFold(e.Decision, string(rights.Refuse)) {
		r.Decision = rights.Refuse
	}
	for _, name := range e.Actions {
		at := slices.IndexFunc(actions, func(a rights.Action) bool { return strings.EqualFold(string(a), name) })
		if at < 0 {
			return r, fmt.Errorf("resource %s: action %q isn't known", e.Resource, name)
		}
		r.Actions = append(r.Actions, actions[at])
	}
	return r, nil
}

// rights are a user's, those of the Custom policy first.
func (a aclInfo) rights() (out []rights.Right, err error) {
	for _, inDefault := range []bool{false, true} {
		for _, p := range a.Policies {
			if strings.EqualFold(p.Type, byDefault) != inDefault {
				continue
			}
			for _, e := range p.Entries {
				r, err := e.right(inDefault)
				if err != nil {
					return nil, err
				}
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// aclOf is what makes a broker keep these rights.
func aclOf(u rights.User) aclInfo {
	a := aclInfo{Subject: subjectPrefix + u.Name}
	for _, p := range []policyInfo{{Type: custom}, {Type: byDefault}} {
		for _, r := range u.Rights {
			if r.Default != (p.Type == byDefault) {
				continue
			}
			e := entryInfo{Resource: resourceOnWire(r.Resource), Sources: r.Sources, Decision: string(r.Decision)}
			for _, one := range r.Actions {
				e.Actions = append(e.Actions, string(one))
			}
			p.Entries = append(p.Entries, e)
		}
		if len(p.Entries) > 0 {
			a.Policies = append(a.Policies, p)
		}
	}
	return a
}
