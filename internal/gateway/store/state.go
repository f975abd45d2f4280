package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/replicator/lane"
)

// Addresses are those of the masters of a side by name, and of slaves by name#id.
type Addresses map[string][]string

// CheckAddresses refuses addresses of a state that nobody could have written.
func CheckAddresses(all map[string]Addresses) error {
	for on, brokers := range all {
		if _, known := routing.SideOf(on); !known {
			return fmt.Errorf("brokers are of %q: source or target is possible", on)
		}
		for name, addrs := range brokers {
			for _, addr := range addrs {
				if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
					return fmt.Errorf("%s broker %s is at %q: host:port is possible", on, name, addr)
				}
			}
			if name == "" || len(addrs) == 0 {
				return fmt.Errorf("%s broker %q has no name or no address", on, name)
			}
		}
	}
	return nil
}

// checkClusters refuses names in a state that nobody could have written.
func checkClusters(all map[string]map[string]string) error {
	for on, brokers := range all {
		if _, known := routing.SideOf(on); !known {
			return fmt.Errorf("clusters are of %q: source or target is possible", on)
		}
		for name, cluster := range brokers {
			if name == "" {
				return fmt.Errorf("a %s broker of cluster %q has no name", on, cluster)
			}
			if !IsName(cluster) {
				return fmt.Errorf("%s broker %s: %q can't be the name of a cluster", on, name, cluster)
			}
		}
	}
	return nil
}

// IsName reports whether a cluster's name can stand in a field and a property as it is.
func IsName(cluster string) bool {
	return !strings.ContainsFunc(cluster, func(c rune) bool {
		return c <= ' ' || c > '~' || c == '"' || c == '\\'
	})
}

// Phases of a round that a gateway leads.
const (
	PhasePrepared  = "prepared"  // everything waits
	PhaseProved    = "proved"    // the outcome is known
	PhaseReady     = "ready"     // everybody has it on disk
	PhaseDecided   = "decided"   // the witness has it
	PhaseWritten   = "written"   // the new state is on disk, beside the old one
	PhaseReplaced  = "replaced"  // it is the one that a restart finds
	PhaseCommitted = "committed" // everybody goes by it
	PhaseStays     = "stays"     // it is looked whether a group's members are known on the target
)

// State is what a gateway keeps on disk: all that it decides, and nothing that it can read
// elsewhere.
type State struct {
	Epoch     int64              `json:"epoch"` // counts the moves that were done
	Ports     map[string]int     `json:"ports"`
	Targets   []string           `json:"targets"` // target brokers in the order of their tags
	Migration *control.Migration `json:"migration,omitempty"`
	Authority string             `json:"authority,omitempty"` // a side
	Open      *Part              `json:"open,omitempty"`      // a round of which the end isn't known yet
	Homes     []Home             `json:"homes"`
	Views     []View             `json:"views"`
	// Lanes are those of the queues above: a gateway that begins while a side is away must know
	// where these go to.
	Lanes []lane.Lane     `json:"lanes,omitempty"`
	Moves []control.Moved `json:"moves,omitempty"` // the last ones that were done, for callers that ask again
	// Brokers are where those of both sides were seen last, by side; states of before have none.
	Brokers map[string]Addresses `json:"brokers,omitempty"`
	// Clusters are what both sides' brokers belong to, by side and broker; states of before have
	// none.
	Clusters map[string]map[string]string `json:"clusters,omitempty"`
	// Checksum is that of all the rest, SHA-256 in hexadecimal digits.
	Checksum string `json:"checksum,omitempty"`
}

// Away reports whether anything of the state isn't as it was before everything.
func (s State) Away() bool {
	return len(s.Homes)+len(s.Views) > 0 || s.Open != nil || s.Authority == routing.Target.String()
}

// Home is a queue that isn't as it was before everything.
type Home struct {
	Topic  string `json:"topic"`
	Broker string `json:"broker"`
	Queue  int    `json:"queue"`
	Home   string `json:"home"`
	Shift  int64  `json:"shift"`
}

// View is a group's view of a queue that isn't as it was before everything.
type View struct {
	Group  string   `json:"group"`
	Topic  string   `json:"topic"`
	Broker string   `json:"broker"`
	Queue  int      `json:"queue"`
	Side   string   `json:"side"`
	Shift  [2]int64 `json:"shift"` // of the source and of the target
	Proved int64    `json:"proved"`
}

// Part is a round that this gateway was ready for.
type Part struct {
	Round   Round   `json:"round"`
	Outcome Outcome `json:"outcome"`
	Moment          // when it began
	// Since is when it began by the wall clock, which may have been set since: files of before have
	// it.
	Since *time.Time `json:"since,omitempty"`
}

// Parse reads a state. One that isn't whole, or that somebody has changed, isn't gone by:
// homes would be where nobody sends. Only files of before have no checksum; these have no addresses
// of brokers either, which were first written later.
func Parse(text []byte) (s State, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&s); err != nil {
		return s, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("text after the state")
	}
	if s.Ports == nil {
		return s, errors.New("it holds no ports, as each state does")
	}
	was := s.Checksum
	if was == "" && s.Brokers != nil {
		return s, errors.New("its checksum is missing, which somebody must have taken out")
	}
	if is, err := s.Sum(); was != "" && (err != nil || is != was) {
		return s, errors.Join(fmt.Errorf("its checksum is %s, and that of what it holds %s", was, is), err)
	}
	s.Checksum = ""
	return s, errors.Join(s.Sides(), s.Numbers(), CheckAddresses(s.Brokers), checkClusters(s.Clusters))
}

// Sum is the checksum of a state.
func (s State) Sum() (string, error) {
	s.Checksum = ""
	text, err := json.Marshal(s)
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}

// Sides refuses names that are none of a side.
func (s State) Sides() error {
	names := map[string]string{}
	if s.Authority != "" {
		names[s.Authority] = "the authority"
	}
	for _, h := range s.Homes {
		names[h.Home] = fmt.Sprintf("the home of topic %s, queue %d on %s", h.Topic, h.Queue, h.Broker)
	}
	for _, v := range s.Views {
		names[v.Side] = fmt.Sprintf("the side of group %s for topic %s, queue %d on %s", v.Group, v.Topic,
			v.Queue, v.Broker)
	}
	for name, of := range names {
		if _, known := routing.SideOf(name); !known {
			return fmt.Errorf("%s is %q: source or target is possible", of, name)
		}
	}
	return nil
}

// SameQueue reports whether both are of the same queue and group.
func (v View) SameQueue(o View) bool {
	return o.Group == v.Group && o.Topic == v.Topic && o.Broker == v.Broker && o.Queue == v.Queue
}
