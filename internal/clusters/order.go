package clusters

import (
	"context"
	"time"

	"rocketshift/internal/rocketmq"
)

const (
	// MemberPatience is how long one member may take to say how it consumes. One that lives answers
	// in milliseconds; brokers wait 10 s for one that doesn't.
	MemberPatience = 3 * time.Second
	// membersAsked is how many members of a group are asked until one answers: all run the same
	// listener.
	membersAsked = 3
)

// OrderAsker asks one member of a group whether it consumes in order.
type OrderAsker func(ctx context.Context, group, member string) (bool, error)

// ConsumesInOrder asks members of a group, one after the other until one answers, whether they
// consume in order. It isn't known where none does.
func ConsumesInOrder(
	ctx context.Context, group string, members []string, ask OrderAsker,
) (orderly, known bool) {
	for _, id := range members[:min(len(members), membersAsked)] {
		if ctx.Err() != nil {
			return false, false
		}
		one, cancel := context.WithTimeout(ctx, MemberPatience)
		is, err := ask(one, group, id)
		cancel()
		if err == nil {
			return is, true
		}
	}
	return false, false
}

// ConsumesInOrder asks members of a group that are connected now.
func (c *One) ConsumesInOrder(
	ctx context.Context, brokers []rocketmq.Broker, group string,
) (orderly, known bool, err error) {
	all, err := c.MembersOf(ctx, brokers, []string{group})
	if err != nil {
		return false, false, err
	}
	members := all[group].Members
	orderly, known = ConsumesInOrder(ctx, group, SortedKeys(members),
		func(ctx context.Context, group, member string) (bool, error) {
			info, err := c.Client().ConsumerRunningInfo(ctx, members[member].Broker, group, member)
			return info.Orderly(), err
		})
	return orderly, known, nil
}
