package plan

import (
	"maps"
	"slices"
	"time"
)

// Defaults that are numbers. Validate's limits stand next to its checks.
const (
	// DefaultVersion is the 5.x release that the local provider was proven with.
	DefaultVersion = "5.3.3"
	defaultBrokers = 1
	// defaultSoak is long enough to see a consumer rebalance. Clients do that every 20 s, and at
	// once when the broker tells them.
	defaultSoak = Duration(10 * time.Second)
	// defaultFenceBudget is how long an application may stand still in one move: ten times as long
	// as a move usually takes.
	defaultFenceBudget = time.Minute
	// defaultSettle is longer than the 5 s in which stock consumers commit, so a running one can't
	// look settled.
	defaultSettle = Duration(6 * time.Second)
	// defaultHeartbeat has a worker send a heartbeat every eight minutes (0.8 of it). Each costs an
	// action: four shards cost 720 a day. It is also the time until others take over from a killed
	// worker; a worker that stops in order hands over at once.
	defaultHeartbeat = Duration(10 * time.Minute)
	// hashedHeartbeat stands in hashes for every heartbeat that has been the default: approvals of
	// plans that leave it out are bound to such hashes. So a plan with 1m has the same hash as one
	// without a heartbeat.
	hashedHeartbeat = Duration(time.Minute)
	// defaultBatchMessages is a size from which bigger batches of usual messages aren't faster.
	defaultBatchMessages = 300
	// defaultSyncInterval keeps the other side's positions seconds old.
	defaultSyncInterval = Duration(3 * time.Second)
)

// wasDefault reports whether a heartbeat is or was the default.
func wasDefault(heartbeat Duration) bool {
	return heartbeat == defaultHeartbeat || heartbeat == Duration(5*time.Minute)
}

// WithDefaults returns the plan with the default of everything that it leaves out. It doesn't share
// or change the receiver's lists.
func (p Plan) WithDefaults() Plan {
	p.Source.NameServers = slices.Clone(p.Source.NameServers)
	for _, names := range []*[]string{&p.Source.LeftOut, &p.Source.ReadSlaves} {
		if *names = slices.Clone(*names); len(*names) == 0 {
			*names = nil
		}
	}
	p.Source.Advertised = cloned(p.Source.Advertised)
	p.Target = p.Target.withDefaults()
	p.Topics.Selection = p.Topics.Selection.withDefaults()
	if len(p.Topics.Types) == 0 {
		p.Topics.Types = nil
	}
	if len(p.Topics.Ordered) == 0 {
		p.Topics.Ordered = nil
	}
	p.Groups = p.Groups.withDefaults()
	p.Metadata = p.Metadata.withDefaults()
	p.Traffic.Mode = either(p.Traffic.Mode, ModeRelease)
	p.Shift = p.Shift.withDefaults()
	p.Replicate.Heartbeat = either(p.Replicate.Heartbeat, defaultHeartbeat)
	p.Replicate.BatchMessages = either(p.Replicate.BatchMessages, defaultBatchMessages)
	p.Replicate.SyncInterval = either(p.Replicate.SyncInterval, defaultSyncInterval)
	p.Approvals = inOrder(p.Approvals)
	return p
}

// Normal returns the plan with all values written out by which a running migration decides. That
// includes what WithDefaults leaves at zero to keep hashes stable. Later releases may have other
// defaults.
func (p Plan) Normal() Plan {
	p = p.WithDefaults()
	p.Shift.FenceBudget = Duration(p.Shift.FenceLimit())
	p.Replicate.Shards = max(p.Replicate.Shards, 1)
	return p
}

func (t Target) withDefaults() Target {
	t.NameServers = slices.Clone(t.NameServers)
	t.Advertised = cloned(t.Advertised)
	if len(t.NameServers) == 0 {
		t.NameServers = nil
	}
	if t.Provider == ProviderLocal {
		t.Version = either(t.Version, DefaultVersion)
		t.Brokers = either(t.Brokers, defaultBrokers)
	}
	t.Aliyun = t.Aliyun.withDefaults()
	return t
}

// cloned is nil for an empty map.
func cloned[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}

func (s Selection) withDefaults() Selection {
	if s.Include == nil {
		s.Include = []string{"*"}
	}
	if s.Exclude == nil {
		s.Exclude = []string{}
	}
	return Selection{Include: slices.Clone(s.Include), Exclude: slices.Clone(s.Exclude)}
}

func (s Shift) withDefaults() Shift {
	if s.Steps == nil {
		s.Steps = []int{25, 50, 100}
	}
	s.Steps = slices.Clone(s.Steps)
	s.Soak = either(s.Soak, defaultSoak)
	s.Settle = either(s.Settle, defaultSettle)
	return s
}

// inOrder sorts approvals as a migration meets them, so that their order in the file doesn't change
// the hash.
func inOrder(given []Gate) []Gate {
	if given == nil {
		return Gates()
	}
	out := slices.Clone(given)
	slices.SortStableFunc(out, func(a, b Gate) int { return slices.Index(Gates(), a) - slices.Index(Gates(), b) })
	return out
}

func either[T comparable](given, standard T) T {
	var zero T
	if given == zero {
		return standard
	}
	return given
}
