//go:build unix

package gateway

// A process that has served before doesn't know what the one before it sent last, and moves no
// homes until that surely has arrived (unansweredSends). Where everything is passed on in good
// order, the predecessor says that nothing is under way, and the successor needn't wait. That is
// safe as nobody can send any more when it looks: rounds are frozen, all readers of clients have
// stopped, and no hold is left whose requests could still be let go. If it can't be sure of one of
// these, or of a single send, it says nothing. A process that ended by itself, be it in good order,
// says nothing either: how it ended would have to be on the disk before it knows, and be taken
// back.

// allSettled reports whether no send of this process can come to a broker any more, of which it
// doesn't know that it came. All of the sessions must have been stopped.
func (g *Gateway) allSettled(stopped []*stoppedSession) bool {
	is := make(map[*session]bool, len(stopped))
	for _, p := range stopped {
		is[p.session] = true
	}
	under := func(s *session) bool { return s.any(func(c call) bool { return sends(c.code) }) }
	for _, s := range g.clients.registry.all() {
		if !is[s] || under(s) {
			return false
		}
	}
	for _, s := range g.clients.unansweredSends.ended() { // behind the others: sessions go from there to here
		if under(s) {
			return false
		}
	}
	for _, t := range g.table.Topics.All() {
		for _, q := range t.All() {
			if q.Hold() != nil {
				return false
			}
		}
	}
	return g.clients.unansweredSends.none()
}

// none reports whether no send is lost that may still be on its way.
func (l *unansweredSends) none() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.of {
		if !one.over() {
			return false
		}
	}
	for _, one := range l.before {
		if !one.over() {
			return false
		}
	}
	return true
}
