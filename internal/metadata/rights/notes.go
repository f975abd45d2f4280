package rights

import "fmt"

// Note is what a person should know of the way from ACL 1.0 to ACL 2.0.
type Note struct {
	Kind   NoteKind `json:"kind"`
	User   string   `json:"user,omitempty"`   // none: it is about the cluster
	Object string   `json:"object,omitempty"` // the resource or pattern
	Text   string   `json:"text"`
	Do     string   `json:"do,omitempty"` // what to do next
}

// NoteKind is what kind of note it is.
type NoteKind string

// Kinds of notes.
const (
	NotKept   NoteKind = "not kept"   // something that works on the source won't on the target
	Changed   NoteKind = "changed"    // it is kept by other means, with a difference that is said
	CloudOnly NoteKind = "cloud only" // brokers take it, the cloud's instances don't
)

func (n Note) String() string {
	text := string(n.Kind) + ": "
	if n.User != "" {
		text += "user " + n.User + ": "
	}
	if n.Object != "" {
		text += n.Object + ": "
	}
	text += n.Text
	if n.Do != "" {
		text += "; " + n.Do
	}
	return text
}

// notes collects those of one user.
type notes struct {
	user string
	list []Note
}

func (n *notes) add(kind NoteKind, object, do, format string, args ...any) {
	n.list = append(n.list, Note{Kind: kind, User: n.user, Object: object, Do: do, Text: fmt.Sprintf(format, args...)})
}
