package rights

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAddressPatternsOfACL1MatchAsBrokersRead(t *testing.T) {
	for pattern, c := range map[string]struct {
		matches, others []string
		sources         []string
	}{
		"":         {nil, []string{"10.0.0.1"}, nil},
		"*":        {[]string{"10.0.0.1", "fe80::1"}, nil, nil},
		"10.0.0.1": {[]string{"10.0.0.1"}, []string{"10.0.0.2"}, []string{"10.0.0.1"}},
		"10.0.0.1,10.2.0.1": {
			[]string{"10.0.0.1", "10.2.0.1"}, []string{"10.0.0.2"}, []string{"10.0.0.1", "10.2.0.1"},
		},
		"10.0.0.{1,2}": {[]string{"10.0.0.1", "10.0.0.2"}, []string{"10.0.0.3"}, []string{"10.0.0.1", "10.0.0.2"}},
		"10.0.0.*":     {[]string{"10.0.0.255"}, []string{"10.0.1.0"}, []string{"10.0.0.0/24"}},
		"10.0.*.*":     {[]string{"10.0.9.9"}, []string{"10.1.0.0"}, []string{"10.0.0.0/16"}},
		"10.0.0.4-9":   {[]string{"10.0.0.4", "10.0.0.9"}, []string{"10.0.0.3", "10.0.0.10"}, []string{"10.0.0.4/30", "10.0.0.8/31"}},
		"10.0.4-5.*":   {[]string{"10.0.5.1"}, []string{"10.0.6.1"}, []string{"10.0.4.0/23"}},
		"1050:0:0:0:5:600:300c:326b": {
			[]string{"1050::5:600:300c:326b"}, []string{"10.0.0.1"}, []string{"1050::5:600:300c:326b"},
		},
	} {
		a := Parse1(pattern)
		for _, one := range c.matches {
			assert.True(t, matchesAny(a, netip.MustParseAddr(one)), "%s, %s", pattern, one)
		}
		for _, one := range c.others {
			assert.False(t, matchesAny(a, netip.MustParseAddr(one)), "%s, %s", pattern, one)
		}
		sources, err := a.Sources()
		assert.NoError(t, err, pattern)
		assert.Equal(t, c.sources, sources, pattern)
	}
	for _, pattern := range []string{"10.0.0.1-300", "10.*.1.1", "*.1.1.1", "10.0.0.9-1", "x", "::1-5", "10.0.0.{1-5}", "10"} {
		_, err := Parse1(pattern).Sources()
		assert.Error(t, err, pattern)
		assert.False(t, matchesAny(Parse1(pattern), netip.MustParseAddr("10.0.0.1")), pattern)
	}
}

// What 5.3.3 answers depends on the order of entries; later versions ask the literal name first.
func TestOverlappingEntriesAreOrderedAsEachVersionDoes(t *testing.T) {
	all := Right{Resource: Resource{Kind: Topic, Pattern: Any}, Actions: []Action{All}, Decision: Allow}
	deny := Right{Resource: TopicNamed("orders"), Actions: []Action{All}, Decision: Refuse}
	prefix := Right{Resource: Resource{Topic, Prefix, "or"}, Actions: []Action{All}, Decision: Allow}
	q := Question{TopicNamed("orders"), []Action{Send}, outside}
	for _, c := range []struct {
		rights      []Right
		upTo, later bool
	}{
		{[]Right{all, deny}, false, false},
		{[]Right{deny, all}, true, false}, // the entry for all names wins on 5.3.3
		{[]Right{prefix, deny}, false, false},
		{[]Right{deny, prefix}, true, false},
	} {
		u := User{Name: "one", Type: Normal, Rights: c.rights}
		assert.Equal(t, c.upTo, Allowed2(u, q, Rules53), "%+v", c.rights)
		assert.Equal(t, c.later, Allowed2(u, q, Rules54), "%+v", c.rights)
	}
}

func TestDisabledUsersMayDoNothingAndSuperUsersEverything(t *testing.T) {
	q := Question{TopicNamed("orders"), []Action{Send}, outside}
	assert.False(t, Allowed2(User{Type: Super, Status: Disabled}, q, Rules53))
	assert.True(t, Allowed2(User{Type: Super, Status: Enabled}, q, Rules53))
	assert.False(t, Allowed2(User{Type: Normal, Status: Enabled}, q, Rules53))
}

func TestDifferencesNameUserResourceAndBothAnswers(t *testing.T) {
	source := ACL1{Users: []User{
		{Name: "sender-1", Type: Normal, Rights: []Right{own(TopicNamed("orders"), Pub)}},
		{Name: "missing-1", Type: Normal},
	}}
	mapped, _ := Map(source, SameNames())
	asked := Asked{
		Topics: []string{"orders", "payments"},
		Groups: []string{"billing"},
		Names:  SameNames(),
		Rules:  Rules53,
	}
	c := Compare(source, mapped, asked)
	assert.True(t, c.Same(), "%+v", c)
	assert.Greater(t, c.Questions, 10)

	mapped[0].Rights = nil
	c = Compare(source, mapped[:1], asked)
	assert.False(t, c.Same())
	assert.Equal(t, []string{"missing-1"}, c.Missing)
	assert.Equal(t, 2, c.Differing) // to send to orders, and traces
	assert.Equal(t, "user sender-1, Topic orders, Pub: the source allows it, the target refuses it",
		c.Differences[0].String())
}
