package brokerconfig

// Rule is how the target's value is judged.
type Rule string

// A rule's text follows the name of the setting in docs.
const (
	Same      Rule = "the same"
	SameTimes Rule = "the same times"
	Kept      Rule = "the same, if the source has one"
	AtLeast   Rule = "at least the source's"
	AtMost    Rule = "at most the source's"
	True      Rule = "true, if the source's is"
	False     Rule = "false, if the source's is"
	Allows    Rule = "all that the source's allows"
	Batches   Rule = "on a source before 4.8.0: false"
)

// Dependents are the live groups, or topics, without which a difference harms nobody for sure.
type Dependents string

// Whoever depends on a setting can't go on reading where it is otherwise, and isn't told:
// clients only log it.
const (
	Nobody    Dependents = ""
	Everybody Dependents = "everybody"
	Filtering Dependents = "live groups with a filter that isn't by tags"
	ByClass   Dependents = "live groups that filter by a class"
	Pulling   Dependents = "live groups that pull by themselves"
	// Transacting are topics whose messages are of transactions, as far as they were looked at.
	Transacting Dependents = "topics with transactions"
)

// Default is the servers' own value from one version on; without a value, the version has no
// such setting.
type Default struct{ From, Value string }

// Setting is one line of a broker's configuration.
type Setting struct {
	Name string
	// Also are other names of it; one that is true makes the setting true.
	Also []string
	Rule Rule
	// Order are the values of a setting that is no number, the weakest first, for AtLeast.
	Order []string
	// Defaults begin with the oldest version.
	Defaults []Default
	// Absent is how a version without the setting behaves. If empty, there is nothing to compare
	// then.
	Absent string
	// Refuses says who can't work where the target's value is another one than Needs: a
	// difference, or a live group that depends on it, is a refusal then, else a warning.
	Refuses Dependents
	Needs   string
	// Local says that a target of provider local is started with the source's value.
	Local bool
	// Why is what applications see where the rule doesn't hold.
	Why string
}

func since(version, value string) []Default { return []Default{{"4.5", ""}, {version, value}} }

func always(value string) []Default { return []Default{{"4.5", value}} }
