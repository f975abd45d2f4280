package replicator

// Progress is how far the lanes of one run are.
type Progress struct {
	Lanes    int         `json:"lanes"`
	Copied   int64       `json:"copied"`            // messages copied by this run
	Lag      int64       `json:"lag"`               // messages on the source that aren't copied yet
	Skipped  int64       `json:"skipped,omitempty"` // messages that persons gave up
	CaughtUp int         `json:"caughtUp"`          // lanes without lag
	Faults   []LaneFault `json:"faults,omitempty"`
	Waiting  string      `json:"waiting,omitempty"` // for what lanes wait, such as a broker that is down
	Slowed   string      `json:"slowed,omitempty"`  // what holds lanes back, such as a rate
	Back     *Progress   `json:"back,omitempty"`    // of the reverse lanes, if there are any
}
