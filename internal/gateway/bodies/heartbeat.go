package bodies

import (
	"bytes"
	"fmt"
)

// Membership is a group that a client is a member of, as its heartbeat says (HeartbeatData).
type Membership struct {
	Group string       `json:"groupName"`
	Model messageModel `json:"messageModel"`
}

func (m Membership) nameless() bool { return m.Group == "" }

// messageModel is MessageModel; "" if a heartbeat doesn't say.
type messageModel string

const (
	// Broadcasting is the model of groups whose members read everything, each by positions of its
	// own.
	Broadcasting = "BROADCASTING"
	clustering   = "CLUSTERING"
)

// UnmarshalJSON reads a model as fastjson does: by its name in letters of any size, as old versions
// of client-go write it, or by its number. Errors: what is none of these.
func (m *messageModel) UnmarshalJSON(text []byte) error {
	switch string(bytes.Map(upperASCII, text)) {
	case `NULL`, `""`:
		*m = ""
	case `"BROADCASTING"`, `0`:
		*m = Broadcasting
	case `"CLUSTERING"`, `1`:
		*m = clustering
	default:
		return fmt.Errorf("messageModel is %.100s", text)
	}
	return nil
}

func upperASCII(c rune) rune {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// MostMemberships is how many groups a heartbeat names at most, of both kinds: clients run threads
// for each of theirs.
const MostMemberships = 4096
