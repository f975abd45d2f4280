package gateway

// pendingFlush are the upstreams of a session whose writers keep frames until the last of those
// that came together is there.
type pendingFlush struct {
	n   int
	all [4]*upstream
}

// keeps takes note that an upstream has kept a frame; false if no more can be noted. Noted before,
// another one's flush could take the note and find no frame.
func (s *session) keeps(u *upstream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &s.pending
	for _, noted := range k.all[:k.n] {
		if noted == u {
			return true
		}
	}
	if k.n == len(k.all) {
		return false
	}
	k.all[k.n] = u
	k.n++
	return true
}

// flush writes the frames that upstreams have kept. Who reads what the client sends calls it behind
// the last frame of those that came together, before their memory is used again. Before anything is
// waited for it is called too.
func (s *session) flush() {
	s.mu.Lock()
	k := s.pending
	s.pending = pendingFlush{}
	s.mu.Unlock()
	for _, u := range k.all[:k.n] {
		if u.out.Flush() != nil {
			_ = u.conn.Close()
		}
	}
}
