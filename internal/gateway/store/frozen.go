package store

// Freeze lets nothing be written until it is thawed, and waits for what is just being written.
func (f *File) Freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = true
	for f.busy {
		f.done.Wait()
	}
}

// Postpone has what is to be saved wait, or not any more.
func (f *File) Postpone(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.postponed = on
}

// IsFrozen reports whether nothing is written.
func (f *File) IsFrozen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.frozen
}

// Thaw lets states be written again.
func (f *File) Thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = false
}
