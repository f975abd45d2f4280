package workflows

// Signals between a parent and its children; people don't send them.
const (
	stageReportName = "stageReport" // child to parent: its status changed
	// child to parent: what became of an approval that was handed on
	handedName = "approvalJudged"
	// parent to child: a service that it needs doesn't run, or all do
	missingName = "missing"
)

// byRocketshift is who holds a migration where no person did.
const byRocketshift = "rocketshift"
