package gateway

// signal wakes who waits for it, once for any number of reasons.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) now() {
	select {
	case s <- struct{}{}:
	default:
	}
}
