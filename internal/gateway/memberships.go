package gateway

import (
	"bytes"
	"fmt"
)

// membership is a group that a client is a member of, as its heartbeat says (HeartbeatData).
type membership struct {
	Group string       `json:"groupName"`
	Model messageModel `json:"messageModel"`
}

func (m membership) nameless() bool { return m.Group == "" }

// messageModel is MessageModel; "" if a heartbeat doesn't say.
type messageModel string

const (
	// broadcasting is the model of groups whose members read everything, each by positions of its
	// own.
	broadcasting = "BROADCASTING"
	clustering   = "CLUSTERING"
)

// UnmarshalJSON reads a model as fastjson does: by its name in letters of any size, as old versions
// of client-go write it, or by its number. Errors: what is none of these.
func (m *messageModel) UnmarshalJSON(text []byte) error {
	switch string(bytes.Map(upperASCII, text)) {
	case `NULL`, `""`:
		*m = ""
	case `"BROADCASTING"`, `0`:
		*m = broadcasting
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

// membersHere are the groups with members behind the gateway; whether they are broadcasting ones.
func (g *Gateway) membersHere() map[string]bool {
	groups := map[string]bool{}
	for _, s := range g.all() {
		s.mu.Lock()
		for _, m := range s.reads {
			groups[m.Group] = m.Model == broadcasting
		}
		s.mu.Unlock()
	}
	return groups
}
