package main

import (
	"slices"
	"testing"
	"time"

	"rocketshift/internal/lab/labtest"
)

// deadFor stands for ten minutes: it is longer than the heartbeat time-out of what runs under a
// fence, and than all that clients and gateways wait for.
const deadFor = 20 * time.Second

// TestLiveWhateverIsDoneToAMigrationApplicationsGoOn is a sample of the loops, at the points where
// it hurts most: workflows are terminated and cancelled, and in the middle of that the Temporal
// server is killed, and the worker is dead for a while. How long groups stood still is told, not
// judged: on a busy machine that is its doing. make test-loops judges it; make test-long has dead
// targets too.
func TestLiveWhateverIsDoneToAMigrationApplicationsGoOn(t *testing.T) {
	rows := &table{}
	outage := slices.Concat(
		one("r-fenced", "terminate-both"), one("g-homes", "cancel-stage"),
		all(workerDead(deadFor), at("r-settled", "r-back-fenced")),
	)
	for i := range outage {
		outage[i].goal = goalBack
	}
	s := newRig(t, labtest.Cluster(t, "5.3.3"))
	s.runTogether(t, outage, func() error {
		if err := s.killTemporal(); err != nil {
			return err
		}
		return s.killWorkerFor(deadFor)
	}, nil, rows)
}

// sampled are the points at which every intervention is done in make test-long too: where
// applications are in the middle of something. How long groups stood still is told there, as in the
// sample above, which has points without gateways.
func sampled() []position { return at("g-homes") }

// TestLongASampleOfWhateverIsDoneToAMigration does everything that can be done to a workflow at
// these points: a twentieth of the loop, in three minutes on two cores.
func TestLongASampleOfWhateverIsDoneToAMigration(t *testing.T) {
	s := newRig(t, labtest.Cluster(t, "5.3.3"))
	s.runAll(t, chosen(slices.DeleteFunc(loop(), func(c testCell) bool {
		return !slices.ContainsFunc(sampled(),
			func(p position) bool { return p.mode == c.at.mode && p.name == c.at.name })
	})), cellsTogether, &table{})
}

// TestLongASampleOfMovesWhoseTargetIsKilled kills all brokers of the target in the middle of a move
// behind gateways, and of a way back without.
func TestLongASampleOfMovesWhoseTargetIsKilled(t *testing.T) {
	s := newRig(t, ownTarget(t))
	s.runTogether(t,
		chosen(all(targetKilled(), at("g-homes", "r-back-fenced"))),
		s.killTarget, s.startTarget, &table{})
}

// one is one cell of the loop.
func one(where, intervention string) []testCell {
	return slices.DeleteFunc(loop(), func(c testCell) bool {
		return c.intervention.name != intervention || string(c.at.mode[0])+"-"+c.at.name != where
	})
}
