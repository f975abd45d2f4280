package assess

import (
	"context"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/advice"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/seen"
	"rocketshift/internal/rocketmq"
)

const (
	// lookEvery is how often who is connected is asked: clients say it every 30 s, and brokers forget
	// them after 120 s.
	lookEvery = 30 * time.Second
	// lagsEach is how often, in looks, the lag of groups is measured, which costs a call for each
	// topic.
	lagsEach = 10
)

// Observe watches the source for a time, or until the context ends, and keeps in the file who was
// connected, peaks of rates, and lags. What was seen is in the file also if it ends early. A look
// that fails is told, and the next one goes on.
func (r *Run) Observe(ctx context.Context, now func() time.Time, tell func(string)) error {
	file, err := seen.Open(r.flags.Seen, r.Plan.Source.NameServers)
	if err != nil {
		return err
	}
	watching, cancel := context.WithTimeout(ctx, r.flags.Observe)
	defer cancel()
	looks := time.NewTicker(min(lookEvery, r.flags.Observe))
	defer looks.Stop()
	before := now()
	for i := 0; ; i++ {
		err := r.look(watching, file, now, i%lagsEach == 0)
		switch {
		case watching.Err() != nil:
		case err != nil && i == 0:
			return err // nothing was seen yet: an address or a key is wrong
		case err != nil:
			tell(fmt.Sprintf("a look failed, the next one goes on: %v", err))
		}
		file.Watched += now().Sub(before)
		before = now()
		if err := file.Write(r.flags.Seen); err != nil {
			return fmt.Errorf("write what was seen: %w", err)
		}
		if watching.Err() == nil {
			tell(fmt.Sprintf("watched %s: %d clients so far, peak %.0f sends/s and %.0f receives/s",
				file.Watched.Round(time.Second), len(file.Clients), file.Sends.Value, file.Receives.Value))
		}
		select {
		case <-watching.Done():
			return nil
		case <-looks.C:
		}
	}
}

// look asks once who is connected and how fast it goes, and now and then how far groups are behind.
func (r *Run) look(ctx context.Context, file *seen.File, now func() time.Time, lags bool) error {
	source, brokers, err := r.opener.At(ctx, r.Plan, api.Source)
	if err != nil {
		return err
	}
	groups, err := source.GroupTable(ctx, brokers)
	if err != nil {
		return err
	}
	online, err := source.MembersOf(ctx, brokers, groups.Selected(r.Plan))
	if err != nil {
		return err
	}
	producers, _, err := source.Producers(ctx, brokers)
	if err != nil {
		return err
	}
	at := now().UTC()
	file.Add(facts.Facts{At: at, Online: online, Producers: producers}.Connected(), at)
	var sends, receives float64
	for _, b := range brokers {
		table, err := source.Client().Runtime(ctx, b.Addr)
		if err != nil {
			return source.Explain(ctx, err)
		}
		in, out := advice.Rates(table, at)
		sends, receives = sends+in, receives+out
	}
	file.Sends.Raise(sends, at)
	file.Receives.Raise(receives, at)
	if lags {
		return r.lags(ctx, source, brokers, file, at)
	}
	return nil
}

// lags measures what each selected group hasn't read of the selected topics.
func (r *Run) lags(
	ctx context.Context, source *clusters.One, brokers []rocketmq.Broker, file *seen.File, at time.Time,
) error {
	topics, err := source.TopicTable(ctx, brokers, nil)
	if err != nil {
		return err
	}
	positions, err := source.Positions(ctx, brokers)
	if err != nil {
		return err
	}
	behind := map[string]int64{}
	for _, topic := range topics.Selected(r.Plan, brokers) {
		ranges, err := source.Ranges(ctx, brokers, topics, topic)
		if err != nil {
			return err
		}
		for group, of := range positions {
			if !r.Plan.Groups.Match(group) || clusters.SystemGroup(group) {
				continue
			}
			for queue, position := range of[topic] {
				behind[group] += max(0, ranges[queue].Max-position)
			}
		}
	}
	for group, n := range behind {
		file.Behind(group, n, at)
	}
	return nil
}

// watched is what the file of an earlier observation has; nil without a file.
func (r *Run) watched() (*facts.Watched, error) {
	if r.flags.Seen == "" {
		return nil, nil //nolint:nilnil // nothing was watched
	}
	file, err := seen.Open(r.flags.Seen, r.Plan.Source.NameServers)
	if err != nil {
		return nil, err
	}
	return file.Facts(), nil
}
