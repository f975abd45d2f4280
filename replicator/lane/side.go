package lane

// Side names one of the two clusters of a migration. In faults and answers it is the side of the
// queue that a lane reads, and an empty one is the source: brokers mostly have the same names on
// both sides, so that topic, broker and queue don't tell a reverse lane from a forward one.
type Side string

// The two sides.
const (
	SideSource Side = "source"
	SideTarget Side = "target"
)

// Other is the other side.
func (s Side) Other() Side {
	if s == SideSource {
		return SideTarget
	}
	return SideSource
}
