package gateway

// membership is a group that a client is a member of, as its heartbeat says (HeartbeatData).
type membership struct {
	Group string `json:"groupName"`
	Model string `json:"messageModel"`
}

// broadcasting is the model of groups whose members read everything, each by positions of its own (MessageModel).
const broadcasting = "BROADCASTING"

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
