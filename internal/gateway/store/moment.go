package store

import (
	"os"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/gateway/control"
)

// Moment is a point of time that another process on this machine can tell the age of, however the
// wall clock was set meanwhile.
type Moment struct {
	// of the machine (proc(5), boot_id); empty where the system doesn't tell
	Boot   string           `json:"boot,omitempty"`
	Uptime control.Duration `json:"uptime,omitempty"` // since then
}

// Now is this moment.
func (Moment) Now() Moment { return momentOf("/proc/sys/kernel/random/boot_id", "/proc/uptime") }

func momentOf(boot, uptime string) Moment {
	id, err := os.ReadFile(boot)
	if err != nil {
		return Moment{}
	}
	text, err := os.ReadFile(uptime)
	if err != nil {
		return Moment{}
	}
	first, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return Moment{}
	}
	return Moment{strings.TrimSpace(string(id)), control.Duration(seconds * float64(time.Second))}
}

// Age is how long ago it was; false if that can't be told, as the machine was started since.
func (m Moment) Age(now Moment) (time.Duration, bool) {
	if m.Boot == "" || m.Boot != now.Boot || now.Uptime < m.Uptime {
		return 0, false
	}
	return time.Duration(now.Uptime - m.Uptime), true
}
