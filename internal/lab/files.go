package lab

// Files says where the programs are that the lab runs.
type Files struct {
	Jars string // folder with one folder of jars per RocketMQ version
	Java string // path of the java program
}

// FindFiles finds the programs below the project's root, or says what is missing and how to get it.
func FindFiles(root string) (Files, error) { panic("stub") }

// Root returns the project's root: ROCKETSHIFT_HOME, or the folder at or above the working directory that holds
// rocketshift's go.mod.
func Root() (string, error) { panic("stub") }

// FreePorts returns n free TCP ports below 32768, far enough apart for brokers' side ports.
func FreePorts(n int) ([]int, error) { panic("stub") }
