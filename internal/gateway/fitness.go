package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A client that couldn't follow to the target holds up moves of what it shares in: its groups, and the
// topics that it writes to. What others do is moved all the same, so that one client with a wrong key
// has no say over the migration. A caller may accept such a client by its name.

// wroteTo are the topics that a session's client sends to.
type wroteTo struct {
	last atomic.Pointer[string] // most sends are to the topic of the one before

	mu   sync.Mutex
	all  map[string]bool
	more bool // than are kept
}

// mostWritten bounds how many topics are kept of a session, which take 4 KB then. A client that
// sends to more shares in all.
const mostWritten = 64

func (w *wroteTo) note(topic *string) {
	if last := w.last.Load(); last != nil && *last == *topic {
		return
	}
	w.last.Store(topic)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.all[*topic]:
	case len(w.all) == mostWritten:
		w.more = true
	default:
		if w.all == nil {
			w.all = map[string]bool{}
		}
		w.all[*topic] = true
	}
}

func (w *wroteTo) topics() (all []string, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return sortedKeys(w.all), w.more
}

// unfit is a client that can't follow to the target, with what it shares in.
type unfit struct {
	Connected
	more bool // it writes to more topics than are known
}

// unfits are the clients behind this gateway that can't follow to the target, by their identities:
// everybody with a key may say any client id, and has no say over what another client with that id
// shares in.
func (g *Gateway) unfits() map[string]*unfit {
	all := map[string]*unfit{}
	sessions := g.all()
	for _, s := range sessions {
		s.mu.Lock()
		if one := s.connected(); s.client != "" && one.Problem != "" {
			all[s.identity] = &unfit{Connected: one}
		}
		s.mu.Unlock()
	}
	if len(all) == 0 {
		return nil
	}
	for _, s := range sessions {
		s.mu.Lock()
		one := all[s.identity]
		reads := s.reads
		s.mu.Unlock()
		if one == nil {
			continue
		}
		topics, more := s.wrote.topics()
		one.Topics, one.more = append(one.Topics, topics...), one.more || more
		for _, m := range reads {
			one.Groups = append(one.Groups, m.Group)
		}
	}
	for _, one := range all {
		one.Topics, one.Groups = distinct(one.Topics), distinct(one.Groups)
	}
	return all
}

// distinct are names in their order, each once.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// acceptsKey is put before an access key in a move's accept: for all clients that sign with it,
// whatever ids they say they have.
const acceptsKey = "accessKey:"

// accepted reports whether a caller takes what follows from a client that can't follow to the
// target.
func (u *unfit) accepted(by []string) bool {
	return slices.Contains(by, u.ID) ||
		u.AccessKey != "" && slices.Contains(by, acceptsKey+u.AccessKey)
}

// shares is what of a round a client shares in; "" if nothing.
func (u *unfit) shares(r Round, movedGroup func(string) bool) string {
	switch r.Kind {
	case KindHome:
		for _, q := range r.Queues {
			if slices.Contains(u.Topics, q.Topic) {
				return q.Topic
			}
		}
		if u.more && len(r.Queues) > 0 {
			return r.Queues[0].Topic
		}
	case KindSide:
		if slices.Contains(u.Groups, r.Group) {
			return r.Group
		}
	case KindAuthority:
		for _, group := range u.Groups {
			if movedGroup(group) {
				return group
			}
		}
	}
	return ""
}

// allFit refuses to move anything to the target while clients that share in it couldn't follow. It
// returns what becomes inexact by those that the caller accepts.
func (g *Gateway) allFit(r Round) (inexact []string, err error) {
	if r.To != target.String() {
		return nil, nil
	}
	moved := func(name string) bool {
		one, known := g.groups.known([]byte(name))
		return known && one.readsOn(target)
	}
	var refusals []string
	all := g.unfits()
	for _, id := range sortedKeys(all) {
		c := all[id]
		of := c.shares(r, moved)
		if of == "" {
			continue
		}
		says := fmt.Sprintf("%s at %s, which shares in %s, %s", c.ID, c.Address, of, c.Problem)
		if c.accepted(r.Accept) {
			inexact = append(inexact, says+": what it asks of the target is refused")
			continue
		}
		refusals = append(refusals, says)
	}
	if len(refusals) > 0 {
		return nil, refused("%d clients can't follow to the target: %s; or accept them by their ids, or by \"accessKey:…\", and what they ask of the target is refused",
			len(refusals), strings.Join(refusals[:min(len(refusals), 5)], "; "))
	}
	return inexact, nil
}
