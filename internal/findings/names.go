package findings

import "rocketshift/api"

// Names.
const (
	NameManaged ID = "name-managed"
	RenameMap   ID = "rename-map"
)

func nameEntries() []Entry {
	return []Entry{
		{
			NameManaged,
			[]api.Severity{api.SeverityAdvice, api.SeverityRefusal},
			"managed 5.x instances don't take a name",
			"they take up to 60 letters, digits, _ and - (serverless ones 128), and keep some beginnings and ends",
			"give it another name there by target.rename, which needs traffic.mode release",
		},
		{
			RenameMap, advice, "names that have to change",
			"applications use the new names when they are released to the target",
			"take the map into the plan, and change the names as you like",
		},
	}
}
