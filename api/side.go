package api

// Side names one of the two clusters.
type Side string

// The two sides of a migration.
const (
	Source Side = "source"
	Target Side = "target"
)

// Other is the side across.
func (s Side) Other() Side {
	if s == Source {
		return Target
	}
	return Source
}
