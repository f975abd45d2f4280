package failure

// Exit codes. Pipelines depend on them: they never change their meaning.
const (
	Done       = 0
	Failed     = 1
	BadUsage   = 2
	Waiting    = 3
	Halted     = 4
	RolledBack = 5
	Differs    = 6
	Refused    = 7
)
