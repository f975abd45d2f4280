package routing

// Duty is a position to be kept on both sides.
type Duty struct {
	On       Side // that the group reads
	kept     int64
	Position int64 // the same, native to that side
	Owed     bool  // it may have gone to the other side
}

// Due takes what is to be done out of the view.
func (v *View) Due() (d Duty, due bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	due = v.dirty && !v.moving && v.kept >= 0 && (v.side == Target || v.shift != [2]int64{} || v.owed)
	d = Duty{v.side, v.kept, v.native(v.side, v.kept), due && v.owed}
	v.dirty, v.owed = v.dirty && !due, v.owed && !due
	return d, due
}

// PutBack puts back what couldn't be done, as it isn't copied yet or a side is away. What was
// caught up with may have come behind the member's next commit, and then that one is owed.
func (v *View) PutBack(d Duty, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err != nil:
		v.dirty, v.owed = true, v.owed || d.Owed
	case d.Owed && v.kept != d.kept:
		v.dirty, v.owed = true, true
	}
}
