package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rocketshift/internal/files"
	"rocketshift/internal/gateway/control"
)

// owing is what the target owes to this gateway's migration. It lies in a file of its own: older
// releases read the state without it.
type owing struct {
	mu     sync.Mutex
	path   string
	queues map[control.TopicQueue]control.OwedQueue
}

// owedFile is its name in the gateway's folder.
const owedFile = "owed.json"

// load reads what is owed from the gateway's folder.
func (o *owing) load(folder string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.path = filepath.Join(folder, owedFile)
	text, err := os.ReadFile(o.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var all []control.OwedQueue
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return fmt.Errorf("gateway: what the target owes, in %s, can't be read: %w", o.path, err)
	}
	o.add(all)
	return nil
}

// recallOwed takes over what was owed before a restart.
func (g *Gateway) recallOwed() {
	if err := g.owing.load(g.config.Dir); err != nil {
		g.log.Error("it serves all the same, and moves to the target aren't refused for what is owed",
			"cause", err)
	}
}

// add takes entries over; of a queue that is known what is known best. Callers hold o.mu.
func (o *owing) add(all []control.OwedQueue) {
	if o.queues == nil {
		o.queues = map[control.TopicQueue]control.OwedQueue{}
	}
	for _, one := range all {
		if isNumber(one.Topic, one.Broker, one.ID) != nil {
			continue
		}
		if was, there := o.queues[one.TopicQueue]; there {
			one = was.And(one)
		}
		o.queues[one.TopicQueue] = one
	}
}

// owe takes note of queues, on disk too.
func (o *owing) owe(all []control.OwedQueue) error {
	if len(all) == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(all)
	return o.write()
}

// write writes all to the file. Callers hold o.mu.
func (o *owing) write() error {
	if o.path == "" {
		return nil
	}
	text, err := json.Marshal(control.SortedOwed(o.queues))
	if err != nil {
		return err
	}
	return files.Replace(o.path, text, 0o600)
}

// all are the queues of which something may be owed, sorted.
func (o *owing) all() []control.OwedQueue {
	o.mu.Lock()
	defer o.mu.Unlock()
	return control.SortedOwed(o.queues)
}

// paid forgets queues: everything of them is copied.
func (o *owing) paid(names []control.TopicQueue) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		delete(o.queues, name)
	}
	return o.write()
}

// nothingOf refuses to move queues, or groups that read them, to the target while something of them
// is owed: what lies there uncopied would mix with what comes.
func (o *owing) nothingOf(queues []control.TopicQueue) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range queues {
		if _, owed := o.queues[name]; owed {
			return control.Refused("queue %s of topic %s came back while the target didn't answer, and what was written "+
				"to it there isn't all copied yet: wait for the lanes", name.Queue, name.Topic)
		}
	}
	return nil
}

// owes are the queues of a round's outcome as what is owed of them.
func (g *Gateway) owes(o *Outcome) (all []control.OwedQueue) {
	for _, h := range o.Homes {
		q := g.queueFor(h.Topic, h.Broker, h.Queue)
		one := control.OwedQueue{TopicQueue: q.name(), Copied: -1, Written: q.acked[target].Load(), Since: time.Now()}
		if lane := q.lane.Load(); lane != nil {
			one.Target = lane.Target
		}
		all = append(all, one)
	}
	return all
}

// owesFor takes note of what is owed of queues that come back in a round without the target, before
// anything is sent to the source.
func (g *Gateway) owesFor(p *currentRound) {
	if p.round.WithoutTarget && p.round.Kind == control.KindHome {
		g.owe(g.owes(p.outcome))
	}
}

// owe takes note of what is owed. That it can't be written is said: everybody goes by the round.
func (g *Gateway) owe(all []control.OwedQueue) {
	if err := g.owing.owe(all); err != nil {
		g.log.Error("what the target owes isn't on disk", "queues", len(all), "cause", err)
	}
}
