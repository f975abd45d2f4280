package stability

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Still are the numbers that haven't changed for a while: those of topics that are written to would
// only be long.
func (w Set) Still(now time.Time, least time.Duration) Set {
	stood := Set{}
	for name, seen := range w {
		if now.Sub(seen.Since) >= least {
			stood[name] = seen
		}
	}
	return stood
}

// Number is how long a number has been standing. Rate is how fast it last changed, per second.
type Number struct {
	Reading int64
	Since   time.Time
	Rate    float64
}

// MarshalJSON writes the reading, milliseconds since 1970, and the rate: a heartbeat holds more
// than a thousand of them.
func (s Number) MarshalJSON() ([]byte, error) {
	since := s.Since.UnixMilli()
	if s.Since.After(time.UnixMilli(since)) {
		since++ // it never stood for longer than it did
	}
	return json.Marshal([3]json.Number{
		json.Number(strconv.FormatInt(s.Reading, 10)),
		json.Number(strconv.FormatInt(since, 10)),
		json.Number(strconv.FormatFloat(s.Rate, 'g', 3, 64)),
	})
}

// UnmarshalJSON reads that. What releases before it wrote is no list: the watch begins anew.
func (s *Number) UnmarshalJSON(b []byte) error {
	var n [3]json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	reading, err := n[0].Int64()
	since, errSince := n[1].Int64()
	rate, errRate := n[2].Float64()
	*s = Number{reading, time.UnixMilli(since), rate}
	return errors.Join(err, errSince, errRate)
}

// Set is a set of numbers that should stand still, by name. It travels in heartbeats from
// attempt to attempt, so that a settle time of minutes needs no activity of minutes.
type Set map[string]Number

// Stands notes a reading and returns for how long it has been the same.
func (w Set) Stands(name string, reading int64, now time.Time) time.Duration {
	seen, known := w[name]
	if known && seen.Reading == reading {
		return now.Sub(seen.Since)
	}
	next := Number{Reading: reading, Since: now}
	if passed := now.Sub(seen.Since).Seconds(); known && passed > 0 {
		next.Rate = float64(reading-seen.Reading) / passed
	}
	w[name] = next
	return 0
}
