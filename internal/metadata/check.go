package metadata

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rocketshift/internal/metadata/rights"
)

// Bounds of what a model may hold.
const (
	LongestName   = 255     // bytes of a name; brokers of 5.x take 127
	LongestText   = 4096    // bytes of a value, remark or expression
	MostQueues    = 1 << 16 // of a topic on one broker
	MostOfAList   = 200_000 // entries of one of the model's lists
	MostTries     = math.MaxInt32
	longestPeriod = math.MaxInt64
)

// Check finds the first thing that a model can't hold: a name that is missing, there twice or not
// printable, a number out of its range, a word that isn't allowed. The error names the object.
func (c Cluster) Check() error {
	if c.Kind != Kind || c.Version != Version {
		return fmt.Errorf(
			"kind %q version %d: this release reads kind %s, version %d",
			c.Kind,
			c.Version,
			Kind,
			Version,
		)
	}
	k := checker{}
	k.text("origin.of", c.Origin.Of)
	k.text("origin.door", c.Origin.Door)
	each(&k, "brokers", c.Brokers, Broker.key, (*checker).broker)
	each(&k, "topics", c.Topics, Topic.key, (*checker).topic)
	each(&k, "groups", c.Groups, Group.key, (*checker).group)
	each(&k, "subscriptions", c.Subscriptions, Subscription.key, (*checker).subscription)
	each(&k, "order", c.Order, Order.key, func(k *checker, at string, o Order) {
		k.name(at+".topic", o.Topic)
		k.text(at+".queues", o.Queues)
	})
	each(&k, "kv", c.KV, KV.key, func(k *checker, at string, o KV) {
		k.name(at+".namespace", o.Namespace)
		k.text(at+".key", o.Key)
		k.text(at+".value", o.Value)
	})
	each(&k, "users", c.Users, userKey, (*checker).user)
	return k.err
}

// checker keeps the first problem.
type checker struct{ err error }

func (k *checker) fail(at, format string, args ...any) {
	if k.err == nil {
		k.err = fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...))
	}
}

func each[T any](k *checker, list string, all []T, key func(T) string, check func(*checker, string, T)) {
	if len(all) > MostOfAList {
		k.fail(list, "%d entries; at most %d are read", len(all), MostOfAList)
	}
	seen := make(map[string]int, len(all))
	for i, one := range all {
		if k.err != nil {
			return
		}
		at := fmt.Sprintf("%s[%d] (%s)", list, i, quoted(key(one)))
		if first, twice := seen[key(one)]; twice {
			k.fail(at, "is there twice, at %d and %d; keep one", first, i)
		}
		seen[key(one)] = i
		check(k, at, one)
	}
}

func (k *checker) broker(at string, b Broker) {
	k.name(at+".name", b.Name)
	k.text(at+".cluster", b.Cluster)
	k.text(at+".version", b.Version)
}

func (k *checker) topic(at string, t Topic) {
	k.name(at+".name", t.Name)
	if t.Type != "" {
		oneOf(k, at+".type", t.Type, MessageTypes()...)
	}
	if t.Filter != "" {
		oneOf(k, at+".filter", t.Filter, "SINGLE_TAG", "MULTI_TAG")
	}
	if t.Sum != nil && len(t.Queues) > 0 {
		k.fail(at, "has both queues and sum; keep the one that is known")
	}
	if t.Sum != nil {
		k.queues(at+".sum", *t.Sum)
	}
	var brokers []string
	for i, q := range t.Queues {
		at := fmt.Sprintf("%s.queues[%d]", at, i)
		k.name(at+".broker", q.Broker)
		if slices.Contains(brokers, q.Broker) {
			k.fail(at, "broker %s is there twice; keep one", quoted(q.Broker))
		}
		brokers = append(brokers, q.Broker)
		k.queues(at, q)
	}
	within(k, at+".sysFlag", t.SysFlag, 0, math.MaxInt32)
	k.attributes(at, t.Attributes)
	k.text(at+".remark", t.Remark)
}

func (k *checker) queues(at string, q Queues) {
	within(k, at+".read", &q.Read, 0, MostQueues)
	within(k, at+".write", &q.Write, 0, MostQueues)
	within(k, at+".perm", &q.Perm, 0, 15)
}

func (k *checker) group(at string, g Group) {
	k.name(at+".name", g.Name)
	for i, b := range g.Brokers {
		k.name(fmt.Sprintf("%s.brokers[%d]", at, i), b)
	}
	r := g.Retry
	if r.Policy != "" {
		oneOf(k, at+".retry.policy", r.Policy, RetryDefault, RetryFixed, RetryExponential, RetryCustomized)
	}
	within(k, at+".retry.maxTimes", r.MaxTimes, -1, MostTries)
	within(k, at+".retry.queues", r.Queues, 0, MostQueues)
	within(k, at+".retry.initial", r.Initial, 0, longestPeriod)
	within(k, at+".retry.max", r.Max, 0, longestPeriod)
	within(k, at+".retry.multiplier", r.Multiplier, 0, longestPeriod)
	if len(r.Milliseconds) > LongestName {
		k.fail(at+".retry.milliseconds", "%d entries; at most %d are read", len(r.Milliseconds), LongestName)
	}
	k.text(at+".retry.deadLetterTopic", r.DeadLetterTopic)
	within(k, at+".timeoutMinutes", g.TimeoutMinutes, 0, math.MaxInt32)
	within(k, at+".sysFlag", g.SysFlag, 0, math.MaxInt32)
	within(k, at+".brokerId", g.BrokerID, -1, longestPeriod)
	within(k, at+".slowBroker", g.SlowBroker, -1, longestPeriod)
	if g.Protocol != "" {
		oneOf(k, at+".protocol", g.Protocol, "TCP", "HTTP")
	}
	k.attributes(at, g.Attributes)
	k.text(at+".remark", g.Remark)
}

func (k *checker) subscription(at string, s Subscription) {
	k.name(at+".group", s.Group)
	k.name(at+".topic", s.Topic)
	if s.Type != "" {
		oneOf(k, at+".type", s.Type, "TAG", "SQL92")
	}
	if s.Seen != "" {
		oneOf(k, at+".seen", s.Seen, SeenMembers, SeenSettings, SeenPositions)
	}
	k.text(at+".expression", s.Expression)
}

// user checks the form alone: what rights mean is package rights' business.
func (k *checker) user(at string, u rights.User) {
	k.userName(at+".name", u.Name)
	oneOf(k, at+".type", u.Type, rights.Super, rights.Normal)
	for _, f := range fieldsOf(u) {
		k.text(under(at, f.name), f.value)
	}
}

// userName refuses what no name of a user can be: ACL 1.0 takes spaces in it.
func (k *checker) userName(at, name string) {
	k.name(at, strings.ReplaceAll(name, " ", "_"))
}

func (k *checker) attributes(at string, all map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		k.name(at+".attributes", name)
		k.text(at+".attributes."+name, all[name])
	}
}

// name refuses what no name of RocketMQ can be: brokers before 4.6 took nearly anything.
func (k *checker) name(at, name string) {
	switch {
	case name == "":
		k.fail(at, "is empty; a name is needed")
	case len(name) > LongestName:
		k.fail(at, "has %d bytes; at most %d", len(name), LongestName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) || strings.ContainsFunc(name, unicode.IsSpace):
		k.fail(at, "%s has a space or a character that isn't printed", quoted(name))
	}
}

func (k *checker) text(at, text string) {
	switch {
	case len(text) > LongestText:
		k.fail(at, "has %d bytes; at most %d", len(text), LongestText)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unprintable):
		k.fail(at, "%s has a character that isn't printed", quoted(text))
	}
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }

func within[T int | int64](k *checker, at string, n *T, least, most T) {
	if n != nil && (*n < least || *n > most) {
		k.fail(at, "%d is out of range: %d to %d", *n, least, most)
	}
}

func oneOf[T ~string](k *checker, at string, word T, allowed ...T) {
	if !slices.Contains(allowed, word) {
		k.fail(at, "%s: allowed are %v", quoted(string(word)), allowed)
	}
}

// quoted shows a text from outside, bounded.
func quoted(s string) string {
	const shown = 60
	if len(s) > shown {
		s = strings.ToValidUTF8(s[:shown], "") + "..."
	}
	q := fmt.Sprintf("%+q", s)
	if plain := q[1 : len(q)-1]; plain == s && !strings.ContainsFunc(s, unicode.IsSpace) && s != "" {
		return s
	}
	return q
}

// CheckName says what is wrong with a name; nil if a model may hold it.
func CheckName(name string) error {
	k := checker{}
	k.name("the name", name)
	return k.err
}
