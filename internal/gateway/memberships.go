package gateway

import (
	"bytes"
	"fmt"
	"slices"

	"rocketshift/internal/gateway/control"
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

// mostMemberships is how many groups a heartbeat names at most, of both kinds: clients run threads
// for each of theirs.
const mostMemberships = 4096

// membersHere are the groups with members behind the gateway that have asked about queues; whether
// they are broadcasting ones. Heartbeats name groups without end, and brokers let them.
func (g *Gateway) membersHere() map[string]bool {
	groups := map[string]bool{}
	for _, s := range g.all() {
		s.mu.Lock()
		reads := s.reads
		s.mu.Unlock()
		for _, m := range reads {
			if _, asks := g.groups.known([]byte(m.Group)); asks {
				groups[m.Group] = m.Model == broadcasting
			}
		}
	}
	return groups
}

// membersOf are the members of a group behind this gateway, by their ids.
func (g *Gateway) membersOf(group string) map[string]control.Connected {
	all := map[string]control.Connected{}
	for _, s := range g.all() {
		s.mu.Lock()
		client, key, reads := s.client, s.accessKey, s.reads
		s.mu.Unlock()
		if slices.ContainsFunc(reads, func(m membership) bool { return m.Group == group }) {
			all[client] = control.Connected{
				ID: client, Address: s.conn.RemoteAddr().String(),
				AccessKey: key,
			}
		}
	}
	return all
}
