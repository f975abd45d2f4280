package gateway

// freeze lets nothing be written until it is thawed, and waits for what is just being written.
func (f *stateFile) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = true
	for f.busy {
		f.done.Wait()
	}
}

// postpone has what is to be saved wait, or not any more.
func (f *stateFile) postpone(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.postponed = on
}

func (f *stateFile) isFrozen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.frozen
}

func (f *stateFile) thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = false
}
