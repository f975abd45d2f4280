package control

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"rocketshift/replicator/lane"
)

// ReadAheadTime bounds how long reading ahead may take: minutes where much was written since the
// last move.
const ReadAheadTime = 5 * time.Minute

// Kinds of moves.
const (
	KindHome = "home" // where producers' messages of queues are stored
	KindSide = "side" // from which side groups read
	// KindAuthority is which side answers who a group's members are, and who holds queues locked.
	// It goes to the target for the end phase, when everything else is there, and comes back before
	// anything else does.
	KindAuthority = "authority"
)

// Move asks for homes of queues, or sides of groups, to move. Of queues, all move or none; groups
// move one after the other, each as a whole.
type Move struct {
	// of the caller; the same id again gives the same answer and moves nothing twice
	ID   string `json:"id"`
	Kind string `json:"kind"` // KindHome or KindSide
	To   string `json:"to"`   // source or target
	// of the state that the caller has seen; refused if there was another move since
	Epoch  *int64       `json:"epoch,omitempty"`
	Reason string       `json:"reason"`           // for the log
	Budget Duration     `json:"budget"`           // then everything is as it was; 1 s if absent
	Queues []TopicQueue `json:"queues,omitempty"` // of the source; KindHome
	Topics []string     `json:"topics,omitempty"` // all queues of these; KindHome
	Groups []string     `json:"groups,omitempty"` // KindSide
	// groups and topics for which the caller takes what a refusal has named as inexact
	Accept []string `json:"accept,omitempty"`
	// WithoutTarget asks for a return to the source of which nothing is proved on the target, as no
	// broker of that answers: refused while one does. By is who asks for it; Reason says why.
	WithoutTarget bool   `json:"withoutTarget,omitempty"`
	By            string `json:"by,omitempty"`
}

// TopicQueue is a queue of the source.
type TopicQueue struct {
	Topic string `json:"topic"`
	lane.Queue
}

// Moved is what became of a move.
type Moved struct {
	ID   string `json:"id"`
	Done bool   `json:"done"`
	// queues, or views of queues; those that were there already aren't counted
	Moved  int      `json:"moved"`
	Epoch  int64    `json:"epoch"`            // behind it
	Held   Duration `json:"held"`             // how long sends, or pulls, have waited at most
	Reason string   `json:"reason,omitempty"` // why it wasn't done
	// Unchecked says that the gateway ended before it was known whether groups stay; asked again,
	// it looks.
	Unchecked bool `json:"unchecked,omitempty"`
	// Inexact is what isn't as it should be, as the caller has accepted it.
	Inexact []string `json:"inexact,omitempty"`
}

const (
	// UsualBudget is that of a move that says none.
	UsualBudget = time.Second
	// MostBudget is below the time-outs that clients have for sends, 3 s, so that none that has
	// waited is sent twice.
	MostBudget = 2500 * time.Millisecond
)

// ErrRefused is the cause of errors about moves that can't be asked for, or not now: nothing was
// tried.
var ErrRefused = errors.New("refused")

// Refused is an ErrRefused with its cause.
func Refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// CompareQueues orders queues by topic, broker and number.
func CompareQueues(a, b TopicQueue) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
}
