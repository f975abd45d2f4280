package routing

// Side is one of the two clusters.
type Side uint8

const (
	// Source is the cluster that the migration leaves.
	Source Side = iota
	// Target is the cluster that it goes to.
	Target
)

func (s Side) String() string { return [...]string{"source", "target"}[s] }

// Other is the other side.
func (s Side) Other() Side { return 1 - s }

// SideOf is the side of a name, if there is one.
func SideOf(name string) (Side, bool) {
	switch name {
	case "source":
		return Source, true
	case "target":
		return Target, true
	}
	return Source, false
}
