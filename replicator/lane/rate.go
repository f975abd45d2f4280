package lane

import "fmt"

// Rate bounds what is copied in a second; 0 is no bound.
type Rate struct {
	Messages float64 `json:"messages,omitempty"`
	Bytes    float64 `json:"bytes,omitempty"` // of bodies and properties
}

func (r Rate) String() string {
	switch {
	case r.Messages > 0 && r.Bytes > 0:
		return fmt.Sprintf("%g messages and %g bytes a second", r.Messages, r.Bytes)
	case r.Messages > 0:
		return fmt.Sprintf("%g messages a second", r.Messages)
	case r.Bytes > 0:
		return fmt.Sprintf("%g bytes a second", r.Bytes)
	}
	return "no bound"
}
