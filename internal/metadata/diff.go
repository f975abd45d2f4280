package metadata

import (
	"slices"
	"strings"
)

// Change is what happened to an object between two models.
type Change string

// Changes of objects.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
)

// Difference is one difference of an object. Field, From and To are empty unless it is changed; From
// or To is empty where that model doesn't know the setting.
type Difference struct {
	Change Change `json:"change"`
	Object string `json:"object"` // such as "topic orders"
	Field  string `json:"field,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

// Differences are the first ones of all.
type Differences struct {
	List  []Difference `json:"differences"`
	Total int          `json:"total"`
}

// Comparison says what counts as a difference.
type Comparison struct {
	// Most is how many differences are listed; all are counted. 0 lists all.
	Most int
	// OnlyKnown leaves out what one of the two doesn't tell: settings, and kinds of objects of which
	// it has none at all. So a cluster can be compared with a sheet of topics.
	OnlyKnown bool
}

// Diff lists in what b differs from a, in the order of the model. Where they come from and what is
// the evidence of a subscription makes no difference.
func Diff(a, b Cluster, by Comparison) Differences {
	out := Differences{List: []Difference{}}
	d := differ{by, &out}
	kind(d, "broker", a.Brokers, b.Brokers, Broker.key)
	kind(d, "topic", a.Topics, b.Topics, Topic.key)
	kind(d, "group", a.Groups, b.Groups, Group.key)
	kind(d, "subscription", a.Subscriptions, b.Subscriptions, Subscription.key)
	kind(d, "order", a.Order, b.Order, Order.key)
	kind(d, "kv", a.KV, b.KV, KV.key)
	kind(d, "user", a.Users, b.Users, userKey)
	return out
}

type differ struct {
	Comparison
	out *Differences
}

func (d differ) add(one Difference) {
	d.out.Total++
	if d.Most <= 0 || len(d.out.List) < d.Most {
		d.out.List = append(d.out.List, one)
	}
}

// kind compares the objects of one kind, which are sorted in both.
func kind[T any](d differ, name string, a, b []T, key func(T) string) {
	if d.OnlyKnown && (len(a) == 0 || len(b) == 0) {
		return
	}
	a, b = sorted(a, key), sorted(b, key)
	for len(a) > 0 || len(b) > 0 {
		var order int
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = strings.Compare(key(a[0]), key(b[0]))
		}
		switch {
		case order < 0:
			d.add(Difference{Change: Removed, Object: name + " " + key(a[0])})
			a = a[1:]
		case order > 0:
			d.add(Difference{Change: Added, Object: name + " " + key(b[0])})
			b = b[1:]
		default:
			d.object(name+" "+key(a[0]), a[0], b[0])
			a, b = a[1:], b[1:]
		}
	}
}

func sorted[T any](all []T, key func(T) string) []T {
	all = slices.Clone(all)
	by(all, key)
	return all
}

// object compares two objects with the same name.
func (d differ) object(object string, a, b any) {
	from, to := fieldsOf(a), fieldsOf(b)
	other := Settings(b)
	for _, f := range from {
		value, known := other[f.name]
		delete(other, f.name)
		if f.name == "seen" || value == f.value || !known && d.OnlyKnown {
			continue
		}
		d.add(Difference{Change: Changed, Object: object, Field: f.name, From: f.value, To: value})
	}
	for _, f := range to {
		if _, left := other[f.name]; left && f.name != "seen" && !d.OnlyKnown {
			d.add(Difference{Change: Changed, Object: object, Field: f.name, To: f.value})
		}
	}
}
