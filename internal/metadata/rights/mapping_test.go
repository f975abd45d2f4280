package rights

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	outside = netip.MustParseAddr("203.0.113.9")
	inside  = netip.MustParseAddr("10.1.2.3")
)

// own is a right of ACL 1.0.
func own(r Resource, p Permission) Right {
	if actions := p.Actions(); len(actions) > 0 {
		return Right{Resource: r, Actions: actions, Decision: Allow}
	}
	return Right{Resource: r, Actions: []Action{Send, Read}, Decision: Refuse}
}

var permissions = []Permission{Deny, Pub, Sub, PubSub, ""}

// random is any user of ACL 1.0 with rights on three topics and groups at most.
func random(r *rand.Rand) User {
	u := User{Name: "user-name", Type: Normal, Status: Enabled}
	u.DefaultTopic, u.DefaultGroup = permissions[r.IntN(5)], permissions[r.IntN(5)]
	if r.IntN(4) == 0 {
		u.Type = Super
	}
	if r.IntN(3) == 0 {
		u.Addresses = []string{"10.1.2.3", "10.1.2.*", "10.1.2.{3,4}", "*", "10.1.0-5.*"}[r.IntN(5)]
	}
	for i := range 3 {
		if r.IntN(2) == 0 {
			u.Rights = append(u.Rights, own(TopicNamed(fmt.Sprint("t", i)), permissions[r.IntN(4)]))
		}
		if r.IntN(2) == 0 {
			u.Rights = append(u.Rights, own(GroupNamed(fmt.Sprint("g", i)), permissions[r.IntN(4)]))
		}
	}
	if r.IntN(6) == 0 {
		u.Rights = append(u.Rights, own(TopicNamed(TraceTopic), permissions[r.IntN(4)]))
	}
	return u
}

// questions are all that ACL 1.0 decides.
func questions(from netip.Addr) (all []Question) {
	for _, name := range []string{"t0", "t1", "t2", "other", TraceTopic} {
		for _, a := range []Action{Send, Read, Create, Delete} {
			all = append(all, Question{TopicNamed(name), []Action{a}, from})
		}
	}
	for _, name := range []string{"g0", "g1", "g2", "other"} {
		for _, a := range []Action{Read, Delete} {
			all = append(all, Question{GroupNamed(name), []Action{a}, from})
		}
	}
	return all
}

// lost is what a note says that isn't kept: rights by address where they can't be.
func lost(list []Note) bool {
	return slices.ContainsFunc(list, func(n Note) bool { return n.Kind == NotKept })
}

func TestMappedUsersMayDoWhatTheyMightBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	allowed, refused, byAddress := 0, 0, 0
	for range 4_000 {
		u := random(r)
		mapped, list := Map(ACL1{Users: []User{u}}, SameNames())
		require.Len(t, mapped, 1)
		requireOneEntryEach(t, mapped[0])
		for _, by := range []Rules{Rules53, Rules54} {
			for _, from := range []netip.Addr{outside, inside} {
				for _, q := range questions(from) {
					want := Allowed1(u, q)
					if from == inside && lost(list) {
						byAddress++
						continue
					}
					require.Equal(t, want, Allowed2(mapped[0], q, by), "%+v\nof %+v\nbecame %+v", q, u, mapped[0])
					if want {
						allowed++
					} else {
						refused++
					}
				}
			}
		}
	}
	assert.Greater(t, allowed, 20_000)
	assert.Greater(t, refused, 20_000)
	assert.Positive(t, byAddress)
}

// Brokers keep one entry of a policy for a resource: a second one would replace the first.
func requireOneEntryEach(t *testing.T, u User) {
	t.Helper()
	type key struct {
		Resource
		inDefault bool
	}
	seen := map[key]bool{}
	for _, r := range u.Rights {
		k := key{r.Resource, r.Default}
		require.False(t, seen[k], "%+v twice in %+v", r.Resource, u)
		seen[k] = true
	}
}

// A proxy asks for the right to send, to read or to get before it tells a route.
func TestWhoMaySendOrReadGetsTheRoute(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		u := random(r)
		mapped, _ := Map(ACL1{Users: []User{u}}, SameNames())
		for _, name := range []string{"t0", "t1", "t2", "other"} {
			one := Question{TopicNamed(name), []Action{Send, Read}, outside}
			if !Allowed1(u, one) {
				continue
			}
			for _, actions := range [][]Action{{Send, Read, Get}, {Send, Read}} {
				one.Actions = actions
				for _, by := range []Rules{Rules53, Rules54} {
					require.True(t, Allowed2(mapped[0], one, by), "%+v of %+v became %+v", one, u, mapped[0])
				}
			}
		}
	}
}

func TestReadersMayAskForTheEndsOfQueuesAndSendersMayNot(t *testing.T) {
	mapped, _ := Map(ACL1{Users: []User{{
		Name: "reader-1", Type: Normal,
		Rights: []Right{own(TopicNamed("read"), Sub), own(TopicNamed("sent"), Pub)},
	}}}, SameNames())
	get := func(topic string) bool {
		return Allowed2(mapped[0], Question{TopicNamed(topic), []Action{Get}, outside}, Rules53)
	}
	assert.True(t, get("read"), "a consumer without a position asks for the end of the queue")
	assert.False(t, get("sent"), "with Get, messages can be read by their keys")
}

func TestNamesOfTheTargetAreInRights(t *testing.T) {
	names := Names{
		Topic: func(n string) string { return "a-" + n }, Group: func(n string) string { return "b-" + n },
	}
	mapped, _ := Map(ACL1{Users: []User{{
		Name: "user-one", Type: Normal, DefaultTopic: PubSub,
		Rights: []Right{own(TopicNamed("orders"), Deny), own(GroupNamed("billing"), Sub)},
	}}}, names)
	q := Question{TopicNamed("a-orders"), []Action{Send}, outside}
	assert.False(t, Allowed2(mapped[0], q, Rules53))
	q = Question{GroupNamed("b-billing"), []Action{Read}, outside}
	assert.True(t, Allowed2(mapped[0], q, Rules53))
}

func TestWhatCantBeKeptIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		acl  ACL1
		kind NoteKind
		says string
	}{
		"a global white list": {ACL1{GlobalAddresses: []string{"10.10.*.*"}}, NotKept, "need no keys on the source"},
		"an address list that takes many ranges": {
			ACL1{Users: []User{{Name: "user-one", Type: Normal, Addresses: "::1:*"}}}, NotKept, "isn't understood",
		},
		"addresses beside a right that differs from the default": {
			ACL1{Users: []User{{
				Name: "user-one", Type: Normal, Addresses: "10.0.0.1", DefaultTopic: Sub,
				Rights: []Right{own(TopicNamed("orders"), Pub)},
			}}}, NotKept, "an own right of orders would have to say two things",
		},
		"addresses": {
			ACL1{Users: []User{{Name: "user-one", Type: Normal, Addresses: "10.0.0.1"}}},
			Changed, "its signature, which the source doesn't check",
		},
		"an admin with lists": {
			ACL1{Users: []User{{Name: "user-one", Type: Super, Rights: []Right{own(TopicNamed("orders"), Pub)}}}},
			Changed, "becomes a normal user",
		},
		"a name that gRPC clients can't send": {
			ACL1{Users: []User{{Name: "user/one", Type: Normal}}}, NotKept, "gRPC clients can't send it",
		},
		"a name that the cloud refuses": {
			ACL1{Users: []User{{Name: "user.one", Type: Normal}}}, CloudOnly, "ApsaraMQ takes names",
		},
		"a name that would be a pattern": {
			ACL1{Users: []User{{Name: "user-one", Type: Normal, Rights: []Right{own(TopicNamed("orders*"), Pub)}}}},
			NotKept, "as a pattern",
		},
	} {
		_, list := Map(c.acl, SameNames())
		found := slices.ContainsFunc(list, func(n Note) bool {
			return n.Kind == c.kind && strings.Contains(n.String(), c.says)
		})
		assert.True(t, found, "%s: %v", name, list)
	}
}
