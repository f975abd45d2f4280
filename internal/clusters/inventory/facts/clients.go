package facts

import (
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
)

// Client is one that is connected, or was seen to be.
type Client struct {
	Kind     string    `json:"kind"` // consumer or producer
	Group    string    `json:"group"`
	ID       string    `json:"id"`
	Addr     string    `json:"addr"`
	Language string    `json:"language"`
	Version  int       `json:"version"` // ordinal; rocketmq.VersionName reads it
	Topics   []string  `json:"topics,omitempty"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"` // when it was seen last
}

// The kinds of clients.
const (
	Consumer = "consumer"
	Producer = "producer"
)

// String is the client for people.
func (c Client) String() string {
	return c.ID + " at " + c.Addr + " (" + c.Language + " " + rocketmq.VersionName(c.Version) + ")"
}

// Connected are the clients that are connected now.
func (f Facts) Connected() (all []Client) {
	for _, group := range clusters.SortedKeys(f.Online) {
		of := f.Online[group]
		for _, id := range clusters.SortedKeys(of.Members) {
			all = append(all, f.client(Consumer, group, of.Members[id].Connection, clusters.SortedKeys(of.Topics)))
		}
	}
	for _, group := range clusters.SortedKeys(f.Producers) {
		for _, id := range clusters.SortedKeys(f.Producers[group]) {
			all = append(all, f.client(Producer, group, f.Producers[group][id], nil))
		}
	}
	return all
}

func (f Facts) client(kind, group string, c rocketmq.Connection, topics []string) Client {
	return Client{
		Kind: kind, Group: group, ID: c.ClientID, Addr: c.Addr, Language: c.Language, Version: c.Version,
		Topics: topics, First: f.At, Last: f.At,
	}
}

// ClientIDs is how many clients are connected now or were seen before: a producer and a consumer of
// one process have one id.
func (f Facts) ClientIDs() int {
	ids := map[string]bool{}
	for _, c := range f.Clients() {
		ids[c.ID] = true
	}
	return len(ids)
}

// Clients are those that are connected now, and those that were seen before and aren't.
func (f Facts) Clients() []Client {
	all := f.Connected()
	now := map[[3]string]bool{}
	for _, c := range all {
		now[[3]string{c.Kind, c.Group, c.ID}] = true
	}
	if f.Watched == nil {
		return all
	}
	for _, c := range f.Watched.Clients {
		if !now[[3]string{c.Kind, c.Group, c.ID}] {
			all = append(all, c)
		}
	}
	return all
}
