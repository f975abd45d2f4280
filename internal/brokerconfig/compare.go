package brokerconfig

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// Broker is one broker as it tells its settings.
type Broker struct {
	Name, Version string
	Values        map[string]string
	// Unknown is why it doesn't tell them; Values is nil then.
	Unknown string
}

// Uses are the live groups, and the topics, of the plan that depend on settings.
type Uses map[Dependents][]string

// mostNamed is how many brokers or groups one difference names; a line is read by people.
const mostNamed = 5

// longestValue is how many bytes of a setting are shown, as it comes from a server: the default
// list of delay levels has 69.
const longestValue = 200

// Compare returns what differs in the settings of Table: between the brokers of one side,
// between the two sides, and what the target's brokers lack for the groups in use. Who doesn't
// tell is unknown, and is said.
func Compare(source, target []Broker, use Uses) (all []Difference) {
	all = append(unknown("source", source, ""), unknown("target", target, byHand(telling(source), use))...)
	everybody := source
	source, target = telling(source), telling(target)
	for _, s := range Table {
		all = append(all, s.uneven("source", source)...)
		all = append(all, s.uneven("target", target)...)
		if s.Rule == Batches {
			all = append(all, s.refusingBatches(everybody)...)
			continue
		}
		all = append(all, s.between(source, target, use)...)
	}
	return all
}

// Depend reports whether some group may depend on what these brokers have otherwise than it needs,
// or don't tell.
func Depend(brokers []Broker) bool {
	return len(telling(brokers)) < len(brokers) || slices.ContainsFunc(Table, func(s Setting) bool {
		return s.Needs != "" && len(s.lacking(telling(brokers))) > 0
	})
}

func telling(brokers []Broker) (all []Broker) {
	for _, b := range brokers {
		if b.Unknown == "" {
			all = append(all, b)
		}
	}
	return all
}

// unknown tells who doesn't tell; first is what of it people have to look at.
func unknown(side string, brokers []Broker, first string) (all []Difference) {
	var why []string
	mute := map[string][]string{}
	for _, b := range brokers {
		if b.Unknown == "" {
			continue
		}
		if mute[b.Unknown] == nil {
			why = append(why, b.Unknown)
		}
		mute[b.Unknown] = append(mute[b.Unknown], b.Name)
	}
	for _, reason := range why {
		all = append(all, Difference{
			Kind:   Unknown,
			Object: fmt.Sprintf("settings of %s broker %s", side, few(mute[reason])),
			Cause:  "are unknown, and not compared: " + reason,
			Next: "let rocketshift read them (mqadmin getBrokerConfig), or compare them by hand " +
				"with docs/reference/compare-settings.md" + strings.TrimSuffix(": "+first, ": "),
		})
	}
	return all
}

// value is the broker's value, with that of versions which have no such setting.
func (s Setting) value(b Broker) (value string, known bool) {
	value, known = b.Values[s.Name]
	for _, other := range s.Also {
		if strings.EqualFold(b.Values[other], "true") {
			return "true", true
		}
	}
	if !known {
		return s.Absent, s.Absent != ""
	}
	return strings.TrimSpace(value), true
}

// told are the brokers by their value, in the order of their names.
type told struct {
	value   string
	brokers []string
}

func (s Setting) told(brokers []Broker) (all []told) {
	for _, b := range brokers {
		value, known := s.value(b)
		if !known {
			continue
		}
		at := slices.IndexFunc(all, func(t told) bool { return s.normal(t.value) == s.normal(value) })
		if at < 0 {
			all = append(all, told{value: value})
			at = len(all) - 1
		}
		all[at].brokers = append(all[at].brokers, b.Name)
	}
	for i := range all {
		slices.Sort(all[i].brokers)
	}
	slices.SortFunc(all, func(a, b told) int { return strings.Compare(a.brokers[0], b.brokers[0]) })
	return all
}

// uneven says that the brokers of one side differ: which values hold depends on where a queue lies.
func (s Setting) uneven(side string, brokers []Broker) []Difference {
	values := s.told(brokers)
	if len(values) < 2 {
		return nil
	}
	return []Difference{{
		Kind:   Uneven,
		Object: "setting " + s.Name,
		Cause:  fmt.Sprintf("differs among the %s's brokers: %s", side, list(values)),
		Next: fmt.Sprintf("give all brokers of the %s one value of %s, or leave them as they are meant",
			side, s.Name),
	}}
}

// between says what differs from the source, and what groups lack.
func (s Setting) between(source, target []Broker, use Uses) []Difference {
	if lacking, groups := s.lacking(target), use[s.Refuses]; len(lacking) > 0 && len(groups) > 0 {
		return []Difference{{
			Kind:    Differs,
			Refusal: true, Object: "setting " + s.Name,
			Cause: fmt.Sprintf("is %s, and must be %s for %s: %s",
				onTarget(lacking), s.Needs, few(groups), s.Why),
			Next: s.next(s.Needs, lacking),
		}}
	}
	from := s.told(source)
	var wrong []told
	var wanted told
	for _, t := range s.told(target) {
		for _, f := range from {
			if !s.holds(f.value, t.value) {
				wrong, wanted = append(wrong, t), s.stricter(wanted, f)
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	wrong = slices.CompactFunc(wrong, func(a, b told) bool { return a.value == b.value })
	return []Difference{{
		Kind:    Differs,
		Refusal: s.Refuses == Everybody, Object: "setting " + s.Name,
		Cause: fmt.Sprintf("is %s on the source (%s), and %s: %s",
			show(wanted.value), few(wanted.brokers), onTarget(wrong), s.Why),
		Next: s.next(wanted.value, wrong),
	}}
}

// lacking are the brokers that have another value than groups need.
func (s Setting) lacking(brokers []Broker) (all []told) {
	if s.Needs == "" {
		return nil
	}
	for _, t := range s.told(brokers) {
		if !s.meets(t.value) {
			all = append(all, t)
		}
	}
	return all
}

// RefusesBatches reports whether a broker of that version takes no batches. Source:
// DLedgerCommitLog.putMessages of 4.5 to 4.7 answers MESSAGE_ILLEGAL to each.
func RefusesBatches(version string, values map[string]string) bool {
	return strings.EqualFold(values["enableDLegerCommitLog"], "true") && remoting.Earlier(version, takesBatches)
}

// takesBatches is the first version of which all brokers take batches; firstOf5 begins those of
// targets, which never were brokers that took none.
const takesBatches, firstOf5 = "4.8.0", "5.0.0"

// MayRefuseBatches reports whether a broker of that version, which doesn't tell how it is
// configured, may take none.
func MayRefuseBatches(version string) bool {
	return version == "" || remoting.Earlier(version, takesBatches)
}

// MayHaveRefusedBatches reports whether a broker may have taken none before it was upgraded. Values
// are nil where it doesn't tell them.
func MayHaveRefusedBatches(version string, values map[string]string) bool {
	if values == nil {
		return version == "" || remoting.Earlier(version, firstOf5)
	}
	return strings.EqualFold(values["enableDLegerCommitLog"], "true")
}

func (s Setting) refusingBatches(source []Broker) (all []Difference) {
	for _, b := range source {
		if b.Unknown != "" && MayRefuseBatches(b.Version) {
			all = append(all, Difference{
				Kind:   Unknown,
				Object: "setting " + s.Name,
				Cause: fmt.Sprintf("of source broker %s of version %s is unknown, and may be true: if it is, %s",
					b.Name, show(b.Version), s.Why),
				Next: "let rocketshift read it, or expect that lanes learn it by its answers",
			})
			continue
		}
		if !RefusesBatches(b.Version, b.Values) {
			continue
		}
		all = append(all, Difference{
			Kind:   NoBatches,
			Object: "setting " + s.Name,
			Cause:  fmt.Sprintf("is true on source broker %s of version %s: %s", b.Name, b.Version, s.Why),
			Next: "let applications send no batches until the migration is over, " +
				"and expect that what they write on the target comes back slower than it went, " +
				"or bring the source to 4.8.0 or later",
		})
	}
	return all
}

// next is the line to write, and where.
func (s Setting) next(value string, wrong []told) string {
	if s.Name == "filterServerNums" && s.Refuses != Nobody {
		return "let these groups filter by SQL92 or in the application, or exclude them"
	}
	var brokers []string
	for _, t := range wrong {
		brokers = append(brokers, t.brokers...)
	}
	return fmt.Sprintf("write %s=%s into the configuration of target broker %s and start it again",
		s.Name, show(value), few(brokers))
}

func onTarget(values []told) string { return list(values) + " on the target" }

// list says which brokers have which value.
func list(values []told) string {
	var all []string
	for _, t := range values {
		all = append(all, fmt.Sprintf("%s (%s)", show(t.value), few(t.brokers)))
	}
	return some(all)
}

func few(names []string) string { return some(names) }

func some(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
}

func show(value string) string {
	if value == "" {
		return "empty"
	}
	if len(value) > longestValue {
		return strings.ToValidUTF8(value[:longestValue], "") + "…"
	}
	return value
}
