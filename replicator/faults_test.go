package replicator

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

func (r *session) untilFault(kind string, from, to int64) lane.Fault {
	r.fixture.Helper()
	r.untilProgress("a fault", func(p lane.Progress) bool { return len(p.Faults) == 1 })
	fault := r.progress().Faults[0]
	if fault.Type != kind || fault.From != from || fault.To != to || fault.Topic != r.fixture.lane.Topic ||
		fault.Broker != "broker-a" ||
		fault.Queue != 1 {
		r.fixture.Fatalf("fault %+v, wanted %s of offsets %d to %d of broker-a/1", fault, kind, from, to)
	}
	if fault.Cause == "" || fault.Next == "" {
		r.fixture.Fatalf("fault %+v has no cause or no next step", fault)
	}
	return fault
}

// stopped copies what is there and ends.
func (b *laneFixture) stopped(messages int) {
	b.write(messages, 1)
	run := b.start()
	run.untilCaughtUp()
	run.end()
}

func TestMessagesThatExpireBeforeTheyAreCopiedAreAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(10)
		b.write(10, 1)
		b.source.Expire(b.lane.Topic, b.lane.Source, 15)
		run := b.start()
		fault := run.untilFault(lane.SourceTruncated, 10, 15)
		run.end()
		if !strings.Contains(fault.Next, "rocketshift-test") || !strings.Contains(fault.Next, "15") {
			t.Errorf("next step %q, wanted the group and the offset to set", fault.Next)
		}
		// The person's answer: go on without them.
		if err := b.source.Commit(context.Background(), b.options.Group, b.lane.Topic, b.lane.Source, 15); err != nil {
			t.Fatal(err)
		}
		b.start().untilCaughtUp()
		if got := b.copies(); len(got) != 15 || got[10] != 15 {
			t.Fatalf("copies %v, wanted 0 to 9 and 15 to 19", got)
		}
	})
}

func TestSourceQueueThatIsMadeAnewIsAFault(t *testing.T) {
	t.Run("and is shorter, while the lane runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.write(10, 1)
			run := b.start(func(r *Replicator) { r.timing.pullWait = 5 * time.Millisecond })
			run.untilCaughtUp()
			positions := b.source.Log(b.lane.Topic, b.lane.Source).Positions
			b.source.Empty(b.lane.Topic, b.lane.Source)
			b.source.Set(func() { b.source.Log(b.lane.Topic, b.lane.Source).Positions = positions })
			run.untilFault(lane.SourceReset, 10, 0)
			b.source.Events = 0 // the pull that found it out is answered from outside of the queue
		})
	})
	t.Run("and is longer, between two runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.stopped(10)
			b.source.Empty(b.lane.Topic, b.lane.Source)
			b.source.Append(b.lane.Topic, b.lane.Source, make([]remoting.Message, 30)...)
			fault := b.start().untilFault(lane.SourceReset, 9, 10)
			if !strings.Contains(fault.Cause, "isn't the one whose copy is on the target") {
				t.Errorf("cause %q", fault.Cause)
			}
		})
	})
}

func TestMissingTopicIsAFaultOfItsSide(t *testing.T) {
	gone := &remoting.Error{Server: "broker", Call: "call", Code: remoting.TopicNotExist}
	t.Run("source", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.write(1, 1)
			b.source.OnPull = func(int64) error { return gone }
			b.start().untilFault(lane.SourceGone, 0, 0)
		})
	})
	t.Run("source queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.write(1, 1)
			b.source.OnPull = func(int64) error {
				return &remoting.Error{
					Code:   remoting.SystemError,
					Remark: "queueId[1] is illegal, topic:[orders] topicConfig.readQueueNums:[1] consumer:[10.0.0.1]",
				}
			}
			b.start().untilFault(lane.SourceGone, 0, 0)
		})
	})
	t.Run("target", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.write(3, 3)
			b.target.OnSend = func(int, rocketmq.BatchRequest) (bool, error) { return false, gone }
			b.start().untilFault(lane.TargetGone, 0, 3)
		})
	})
}

func TestRefusedMessageStopsTheLaneBeforeIt(t *testing.T) {
	for name, code := range map[string]int{"at once": remoting.MessageIllegal, "when it is refused again and again": remoting.SystemError} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.write(10, 1)
				b.target.OnSend = func(_ int, batch rocketmq.BatchRequest) (bool, error) {
					if string(batch.Messages[0].Body) == "body 6" {
						return false, &remoting.Error{
							Server: "broker-x",
							Call:   "SEND_BATCH_MESSAGE",
							Code:   code,
							Remark: "too big",
						}
					}
					return true, nil
				}
				fault := b.start().untilFault(lane.TargetRefused, 6, 7)
				if !strings.Contains(fault.Cause, "too big") {
					t.Errorf("cause %q, wanted the target's own words", fault.Cause)
				}
				if got := b.copies(); len(got) != 6 {
					t.Errorf("copies %v, wanted those before it", got)
				}
			})
		})
	}
}

func TestUnknownRefusalThatGoesByItselfIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 1)
		b.target.OnSend = func(n int, _ rocketmq.BatchRequest) (bool, error) {
			if n == 4 || n == 5 {
				return false, &remoting.Error{Code: remoting.SystemError}
			}
			return true, nil
		}
		b.start().untilCaughtUp()
		b.wantCopies(0, 10)
	})
}

func TestMessageWithoutRoomForTheStampIsNeverSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		room := remoting.MaxProperties - len(stored(b.stamps(), nil, 3)) - len("K\x01\x02")
		b.write(3, 3)
		b.source.Append(b.lane.Topic, b.lane.Source,
			remoting.Message{Properties: remoting.AppendProperty(nil, "K", string(bytes.Repeat([]byte("x"), room)))},
			remoting.Message{Properties: remoting.AppendProperty(nil, "K", string(bytes.Repeat([]byte("x"), room+1)))})
		b.start().untilFault(lane.PropertiesTooLong, 4, 5)
		if got := b.copies(); len(got) != 4 {
			t.Fatalf("copies %v, wanted those before it, the longest that fits included", got)
		}
	})
}

func TestTargetThatLostItsCopies(t *testing.T) {
	t.Run("all of them is a fault", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.stopped(10)
			b.target.Empty(b.lane.Topic, b.lane.Target)
			b.start().untilFault(lane.TargetTruncated, 0, 10)
		})
	})
	t.Run("the last ones gets them again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.stopped(10)
			b.target.Set(func() {
				log := b.target.Log(b.lane.Topic, b.lane.Target)
				log.Messages = log.Messages[:7]
			})
			run := b.start()
			run.untilProgress("it copied", func(p lane.Progress) bool { return p.Copied == 3 && p.CaughtUp == 1 })
			b.wantCopies(0, 10)
		})
	})
	t.Run("the last ones, whose originals expired, is a fault", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.stopped(10)
			b.target.Set(func() {
				log := b.target.Log(b.lane.Topic, b.lane.Target)
				log.Messages = log.Messages[:7]
			})
			b.source.Expire(b.lane.Topic, b.lane.Source, 9)
			b.start().untilFault(lane.TargetTruncated, 7, 9)
		})
	})
	t.Run("under a running lane is a fault", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.write(10, 1)
			run := b.start()
			run.untilCaughtUp()
			b.target.Empty(b.lane.Topic, b.lane.Target)
			b.write(1, 1)
			run.untilFault(lane.TargetTruncated, 10, 10)
		})
	})
}

func TestFaultOfOneLaneLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(5, 1)
		other := lane.Lane{
			Topic:  "payments",
			Source: lane.Queue{Broker: "broker-b", ID: 0},
			Target: lane.Queue{Broker: "broker-x", ID: 0},
		}
		b.source.Append(other.Topic, other.Source, remoting.Message{Properties: bytes.Repeat([]byte("x"), 32_700)})
		r := newReplicator(b.source, b.target, b.options)
		r.timing = quick()
		ctx, stop := context.WithCancel(context.Background())
		var last lane.Progress
		err := r.Run(ctx, []lane.Lane{b.lane, other}, func(p lane.Progress) {
			last = p
			if p.CaughtUp == 1 && len(p.Faults) == 1 {
				stop()
			}
		})
		if err != nil || last.Copied != 5 || last.Faults[0].Topic != "payments" ||
			last.Faults[0].Type != lane.PropertiesTooLong {
			t.Fatalf("%v, progress %+v", err, last)
		}
	})
}
