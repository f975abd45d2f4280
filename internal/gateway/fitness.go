package gateway

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// A client that couldn't follow to the target holds up moves of what it shares in: its groups, and
// the topics that it writes to. What others do is moved all the same, so that one client with a
// wrong key has no say over the migration. A caller may accept such a client by its name.

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

// has reports whether a topic is one of them, or may be.
func (w *wroteTo) has(topic string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.more || w.all[topic]
}

// unfit is a client that can't follow to the target. What it shares in isn't copied: clients choose
// how many groups they name, on how many connections, and it is looked at in each round.
type unfit struct {
	control.Connected
	reads []bodies.Membership // of all its connections, as the same groups are part of its identity
	wrote []*wroteTo
}

// unfits are the clients behind this gateway that can't follow to the target, by their identities:
// everybody with a key may say any client id, and has no say over what another client with that id
// shares in.
func (sr *sessionRegistry) unfits() map[string]*unfit {
	all := map[string]*unfit{}
	sessions := sr.all()
	for _, s := range sessions {
		s.mu.Lock()
		if one := s.connected(); s.client != "" && one.Problem != "" {
			all[s.identity] = &unfit{Connected: one, reads: s.reads}
		}
		s.mu.Unlock()
	}
	if len(all) == 0 {
		return nil
	}
	at := map[netip.Addr][]*unfit{}
	for _, s := range sessions {
		s.mu.Lock()
		one := all[s.identity]
		s.mu.Unlock()
		if one != nil {
			one.wrote = append(one.wrote, &s.wrote)
			if host := connections.AddressOf(s.conn); !slices.Contains(at[host], one) {
				at[host] = append(at[host], one)
			}
		}
	}
	for _, s := range sessions { // what came by a VIP channel says no client id
		if s.vip.Load() {
			for _, one := range at[connections.AddressOf(s.conn)] {
				one.wrote = append(one.wrote, &s.wrote)
			}
		}
	}
	return all
}

// told is the client with what it shares in, as far as that is told.
func (u *unfit) told() control.Connected {
	var groups, topics names
	for _, m := range u.reads {
		groups.add(m.Group)
	}
	for _, w := range u.wrote {
		w.mu.Lock()
		for topic := range w.all {
			topics.add(topic)
		}
		w.mu.Unlock()
	}
	c := u.Connected
	c.Groups, c.Topics, c.More = groups.first, topics.first, groups.more+topics.more
	return c
}

// names are the first MostOfClient of some names in their order, each once.
type names struct {
	first []string
	more  int // others; one that comes several times may be counted as often
}

func (n *names) add(name string) {
	at, there := slices.BinarySearch(n.first, name)
	switch {
	case there:
		return
	case at == control.MostOfClient:
		n.more++
		return
	case len(n.first) == control.MostOfClient:
		n.more++
		n.first = n.first[:control.MostOfClient-1]
	}
	n.first = slices.Insert(n.first, at, name)
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
func (u *unfit) shares(r store.Round, movedGroup func(string) bool) string {
	switch r.Kind {
	case control.KindHome:
		for _, q := range r.Queues {
			if slices.ContainsFunc(u.wrote, func(w *wroteTo) bool { return w.has(q.Topic) }) {
				return q.Topic
			}
		}
	case control.KindSide:
		if slices.ContainsFunc(u.reads, func(m bodies.Membership) bool { return m.Group == r.Group }) {
			return r.Group
		}
	case control.KindAuthority:
		for _, m := range u.reads {
			if movedGroup(m.Group) {
				return m.Group
			}
		}
	}
	return ""
}

// allFit refuses to move anything to the target while clients that share in it couldn't follow. It
// returns what becomes inexact by those that the caller accepts.
func (g *Gateway) allFit(r store.Round) (inexact []string, err error) {
	if r.To != routing.Target.String() {
		return nil, nil
	}
	moved := func(name string) bool {
		one, known := g.table.Groups.Known([]byte(name))
		return known && one.ReadsOn(routing.Target)
	}
	var refusals []string // the first ones
	n := 0
	all := g.clients.registry.unfits()
	for _, id := range routing.SortedKeys(all) {
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
		if n++; n <= checks.MostRefused {
			refusals = append(refusals, says)
		}
	}
	if n > 0 {
		return nil, control.Refused(
			"%d clients can't follow to the target: %s; or accept them by their ids, or by "+
				"\"accessKey:…\", and what they ask of the target is refused",
			n,
			strings.Join(refusals, "; "),
		)
	}
	return inexact, nil
}
