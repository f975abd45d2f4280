package gateway

// keeping are the upstreams of a session whose writers keep frames until the last of those that came together is there.
type keeping struct {
	n   int
	all [4]*upstream
}

// keeps takes note that an upstream keeps frames; false if no more can be noted.
func (s *session) keeps(u *upstream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &s.keeping
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

// flush writes the frames that upstreams have kept. It is called behind the last frame of those that came together, and before the session waits
// for anything.
func (s *session) flush() {
	s.mu.Lock()
	k := s.keeping
	s.keeping = keeping{}
	s.mu.Unlock()
	for _, u := range k.all[:k.n] {
		if u.out.flush() != nil {
			_ = u.conn.Close()
		}
	}
}
