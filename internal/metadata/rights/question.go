package rights

import (
	"net/netip"
	"slices"
	"strings"
)

// Question is what a cluster decides: may a user that has proved who it is do any of the actions
// with the resource, from that address?
type Question struct {
	Resource Resource // Literal
	Actions  []Action // one of them is enough, as ACL 2.0 asks
	From     netip.Addr
}

// TraceTopic is where clients write traces of messages. ACL 1.0 lets everybody who has signed.
const TraceTopic = "RMQ_SYS_TRACE_TOPIC"

// Allowed1 is how ACL 1.0 decides (PlainPermissionManager.checkPerm, 4.9.7). A whole ACL1 also has
// addresses from which everybody may do everything.
func Allowed1(u User, q Question) bool {
	if matchesAny(Parse1(u.Addresses), q.From) {
		return true
	}
	return slices.ContainsFunc(q.Actions, func(a Action) bool { return allowed1(u, q.Resource, a) })
}

func allowed1(u User, r Resource, a Action) bool {
	switch a {
	case Send, Read:
	case Create, Update, Delete:
		return u.Type == Super // of topics and groups: the codes that ACL 1.0 keeps to admins
	default:
		return true // it doesn't ask
	}
	if u.Type == Super && len(u.Rights) == 0 {
		return true // an admin with lists is held to them
	}
	if r == TopicNamed(TraceTopic) && a == Send {
		return true
	}
	for _, right := range u.Rights {
		if right.Resource == r {
			return right.Decision == Allow && slices.Contains(right.Actions, a)
		}
	}
	of := u.DefaultTopic
	if r.Kind == Group {
		of = u.DefaultGroup
	}
	return of.allows(a)
}

// allows reports whether a permission holds an action.
func (p Permission) allows(a Action) bool { return slices.Contains(p.Actions(), a) }

// Actions are those that a permission allows. What isn't one of the four denies, as brokers read it.
func (p Permission) Actions() []Action {
	switch Permission(strings.TrimSpace(string(p))) {
	case Pub:
		return []Action{Send}
	case Sub:
		return []Action{Read}
	case PubSub, "SUB|PUB":
		return []Action{Send, Read}
	case Deny:
	}
	return nil
}

// Rules is how a version of ACL 2.0 chooses among entries that match.
type Rules string

// The rules. Up to 5.3.3 the comparison contradicts itself, so the order of the entries decides too
// (AclAuthorizationHandler); later ones ask a literal name first, then the longest prefix.
const (
	Rules53 Rules = "5.3"
	Rules54 Rules = "5.4"
)

// Allowed2 is how ACL 2.0 decides (UserAuthorizationHandler, AclAuthorizationHandler).
func Allowed2(u User, q Question, by Rules) bool {
	switch {
	case u.Status == Disabled:
		return false
	case u.Type == Super:
		return true
	}
	for _, policy := range []bool{false, true} {
		if found := matching(u.Rights, policy, q); len(found) > 0 {
			return first(found, by).Decision == Allow
		}
	}
	return false
}

// matching are the rights of a policy that match resource, action and address.
func matching(of []Right, inDefault bool, q Question) (found []Right) {
	for _, r := range of {
		if r.Default == inDefault && r.Resource.covers(q.Resource) && r.hasAny(q.Actions) && r.countsFrom(q.From) {
			found = append(found, r)
		}
	}
	return found
}

func (r Resource) covers(one Resource) bool {
	if r.Kind == AnyKind {
		return true
	}
	if r.Kind != one.Kind {
		return false
	}
	switch r.Pattern {
	case Any:
		return true
	case Prefix:
		return strings.HasPrefix(one.Name, r.Name)
	case Literal:
	}
	return r.Name == one.Name
}

func (r Right) hasAny(actions []Action) bool {
	return slices.Contains(r.Actions, All) ||
		slices.ContainsFunc(actions, func(a Action) bool { return slices.Contains(r.Actions, a) })
}

func (r Right) countsFrom(addr netip.Addr) bool {
	if len(r.Sources) == 0 {
		return true
	}
	return slices.ContainsFunc(r.Sources, func(s string) bool {
		if one, err := netip.ParseAddr(s); err == nil {
			return one == addr
		}
		in, err := netip.ParsePrefix(s)
		return err == nil && in.Masked().Contains(addr)
	})
}

// first is the right that decides. The sort is Java's for lists of fewer than 32: a run at the
// beginning, the rest inserted by binary search. With the rules of 5.3 its way decides.
func first(found []Right, by Rules) Right {
	compare := later
	if by == Rules53 {
		compare = upTo533
	}
	return javaSorted(found, compare)[0]
}

func javaSorted(list []Right, compare func(a, b Right) int) []Right {
	list = slices.Clone(list)
	if len(list) < 2 {
		return list
	}
	run := 2
	if descending := compare(list[1], list[0]) < 0; descending {
		for run < len(list) && compare(list[run], list[run-1]) < 0 {
			run++
		}
		slices.Reverse(list[:run])
	} else {
		for run < len(list) && compare(list[run], list[run-1]) >= 0 {
			run++
		}
	}
	for ; run < len(list); run++ {
		pivot, low, high := list[run], 0, run
		for low < high {
			if middle := (low + high) / 2; compare(pivot, list[middle]) < 0 {
				high = middle
			} else {
				low = middle + 1
			}
		}
		copy(list[low+1:run+1], list[low:run])
		list[low] = pivot
	}
	return list
}

// upTo533 is how 5.3.3 compares two entries: a literal or a prefix on the left comes first, whatever
// is on the right; of two prefixes the shorter; else what allows.
func upTo533(a, b Right) int {
	compare := 0
	switch {
	case a.Resource.Kind != b.Resource.Kind:
		compare = kinds(a, b)
	case a.Resource.Pattern != b.Resource.Pattern:
		if a.Resource.Pattern != Any {
			compare = -1
		}
	case a.Resource.Pattern == Prefix:
		compare = len(a.Resource.Name) - len(b.Resource.Name)
	}
	switch {
	case compare != 0:
		return compare
	case a.Decision == Refuse:
		return 1
	case b.Decision == Refuse:
		return -1
	}
	return 0
}

func kinds(a, b Right) int {
	switch {
	case b.Resource.Kind == AnyKind:
		return -1
	case a.Resource.Kind == AnyKind:
		return 1
	}
	return 0
}

// later is how 5.5.0 compares them.
func later(a, b Right) int {
	rank := map[Pattern]int{Literal: 0, Prefix: 1, Any: 2}
	compare := rank[a.Resource.Pattern] - rank[b.Resource.Pattern]
	switch {
	case a.Resource.Kind != b.Resource.Kind:
		compare = kinds(a, b)
	case compare == 0 && a.Resource.Pattern == Prefix:
		compare = len(b.Resource.Name) - len(a.Resource.Name)
	}
	switch {
	case compare != 0 || a.Decision == b.Decision:
		return compare
	case a.Decision == Refuse:
		return -1
	}
	return 1
}
