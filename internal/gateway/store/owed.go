package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"rocketshift/internal/files"
	"rocketshift/internal/gateway/control"
)

// Owed is what the target owes to this gateway's migration. It lies in a file of its own: older
// releases read the state without it.
type Owed struct {
	mu     sync.Mutex
	Path   string
	queues map[control.TopicQueue]control.OwedQueue
}

// owedFile is its name in the gateway's folder.
const owedFile = "owed.json"

// Load reads what is owed from the gateway's folder.
func (o *Owed) Load(folder string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Path = filepath.Join(folder, owedFile)
	text, err := os.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var all []control.OwedQueue
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return fmt.Errorf("gateway: what the target owes, in %s, can't be read: %w", o.Path, err)
	}
	o.add(all)
	return nil
}

// add takes entries over; of a queue that is known what is known best. Callers hold o.mu.
func (o *Owed) add(all []control.OwedQueue) {
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

// Owe takes note of queues, on disk too.
func (o *Owed) Owe(all []control.OwedQueue) error {
	if len(all) == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(all)
	return o.write()
}

// write writes all to the file. Callers hold o.mu.
func (o *Owed) write() error {
	if o.Path == "" {
		return nil
	}
	text, err := json.Marshal(control.SortedOwed(o.queues))
	if err != nil {
		return err
	}
	return files.Replace(o.Path, text, 0o600)
}

// All are the queues of which something may be owed, sorted.
func (o *Owed) All() []control.OwedQueue {
	o.mu.Lock()
	defer o.mu.Unlock()
	return control.SortedOwed(o.queues)
}

// Paid forgets queues: everything of them is copied.
func (o *Owed) Paid(names []control.TopicQueue) error {
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

// NothingOf refuses to move queues, or groups that read them, to the target while something of them
// is owed: what lies there uncopied would mix with what comes.
func (o *Owed) NothingOf(queues []control.TopicQueue) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range queues {
		if _, owed := o.queues[name]; owed {
			return control.Refused(
				"queue %s of topic %s came back while the target didn't answer, and what was written "+
					"to it there isn't all copied yet: wait for the lanes",
				name.Queue,
				name.Topic,
			)
		}
	}
	return nil
}

// Learn takes over what was found out of queues that are owed.
func (o *Owed) Learn(all []control.OwedQueue) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range all {
		if was, there := o.queues[one.TopicQueue]; there {
			o.queues[one.TopicQueue] = was.And(one)
		}
	}
	_ = o.write() // it is known less of them otherwise
}
