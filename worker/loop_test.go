package main

import (
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

const (
	// cellsTogether keeps two cores busy without cells that wait for each other's processes.
	cellsTogether = 4
	// noticed is how late a dead worker, or a cancellation, is noticed at the worst: the heartbeat
	// time-out of activities under a fence.
	noticed = 10 * time.Second
	// margin is for a busy machine, and for stock clients, which look for their queues every 20 s
	// at the latest.
	margin = 10 * time.Second
)

// testCell is one cell of the loop.
type testCell struct {
	name         string
	at           position
	intervention intervention
	goal         string
}

// loop is all positions × interventions that are done to one migration. In one of four, people go
// on to the end, which takes a minute; in the others they go back.
func loop() (cells []testCell) {
	for i, at := range positions() {
		for j, d := range interventions() {
			if d.only != nil && !d.only(at) {
				continue
			}
			goal := goalBack
			if !at.back && (i+j)%4 == 1 {
				goal = goalDone
			}
			cells = append(cells, testCell{name: nameOf(at, d.name), at: at, intervention: d, goal: goal})
		}
	}
	return cells
}

// chosen are the cells that somebody who looks for a fault wants: those whose names match.
func chosen(cells []testCell) []testCell {
	only := regexp.MustCompile(os.Getenv("ROCKETSHIFT_CELLS"))
	return slices.DeleteFunc(cells, func(c testCell) bool { return !only.MatchString(c.name) })
}

func nameOf(at position, intervention string) string {
	return "cell-" + string(at.mode[0]) + "-" + at.name + "-" + intervention
}

// table collects rows.
type table struct {
	mu   sync.Mutex
	rows []row
}

func (t *table) add(r row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, r)
}

// runAll runs cells, some at a time.
func (s *rig) runAll(t *testing.T, cells []testCell, together int, rows *table) {
	next := make(chan testCell)
	var working sync.WaitGroup
	for range together {
		working.Go(func() {
			for one := range next {
				t.Run(one.name, func(t *testing.T) { s.run(t, one, nil, rows) })
			}
		})
	}
	for _, one := range cells {
		next <- one
	}
	close(next)
	working.Wait()
}

// runTogether has all cells reach their positions, and does the intervention once. Then is done
// when all cells whose intervention is away have seen their groups read again.
func (s *rig) runTogether(t *testing.T, cells []testCell, do, then func() error, rows *table) {
	calm := 0
	for _, one := range cells {
		if !one.at.refused {
			calm++
		}
	}
	m := &shared{
		reached: newSyncPoint(calm, nil), intervention: newSyncPoint(len(cells), do),
		after: newSyncPoint(len(cells), then), turn: make(chan struct{}, cellsTogether),
	}
	var working sync.WaitGroup
	for _, one := range cells {
		working.Go(func() {
			t.Run(one.name, func(t *testing.T) { s.run(t, one, m, rows) })
		})
	}
	working.Wait()
}

// run is the life of one cell.
func (s *rig) run(t *testing.T, one testCell, all *shared, rows *table) {
	var arrive, reads, others func() error
	if all != nil { // also a cell that failed arrives: the others needn't wait for it
		arrive, reads = sync.OnceValue(all.intervention.arriveAndAwait), sync.OnceValue(all.after.arriveAndAwait)
		defer func() { _ = reads() }()
		defer func() { _ = arrive() }()
		leave := all.enter()
		defer leave()
		others = func() error { leave(); return all.reached.await() }
		if !one.at.refused {
			reached := sync.OnceFunc(all.reached.arrive)
			defer reached()
			others = func() error { leave(); reached(); return nil }
		}
	}
	c := s.newCell(t, one.name, one.at)
	stop := c.people()
	defer stop()
	c.row.cell = one.name
	c.reach(others)
	c.row.reached = time.Since(c.begun)
	acted := time.Now()
	if one.intervention.do != nil {
		require.NoError(t, one.intervention.do(c))
	}
	if all != nil {
		require.NoError(t, arrive())
	}
	c.letGo(one.intervention.away)
	if one.at.refused {
		c.row.stood = time.Since(acted)
	}
	if one.intervention.away {
		since := time.Now()
		c.goBack()
		c.untilGroupsRead(since)
		require.NoError(t, reads())
		c.wait.Store(nil)
	}
	c.followUp(one.intervention, one.goal)
	c.row.finished = time.Since(acted)
	c.requireNothingLeft(one.goal)
	c.finish(one.goal)
	c.row.wholeFor = time.Since(c.begun)
	t.Log(c.row)
	rows.add(c.row)
	c.requireUnharmed(one.intervention)
}

func (c *cell) requireUnharmed(d intervention) {
	require.Zero(c.t, c.row.lost, "%s: lost", c.name)
	require.Zero(c.t, c.row.disordered, "%s: out of order", c.name)
	if !d.repeats {
		require.Zero(c.t, c.row.repeated, "%s: read again by our doing", c.name)
	}
}

// requireShortSilence compares the longest silence of each group with that of the moves without a
// intervention.
func (t *table) requireShortSilence(tt *testing.T, cells []testCell) {
	control := time.Duration(0)
	interventionOf := map[string]intervention{}
	for _, one := range cells {
		interventionOf[one.name] = one.intervention
	}
	for _, r := range t.rows {
		if interventionOf[r.cell].name == "none" {
			for _, s := range r.silence {
				control = max(control, s)
			}
		}
	}
	slices.SortFunc(t.rows, func(a, b row) int { return slices.Compare([]byte(a.cell), []byte(b.cell)) })
	tt.Logf("longest silence without an intervention: %s; each row's silence is that of its worst group", control)
	for _, r := range t.rows {
		tt.Log(r)
		limit := control + fenceBudget + noticed + margin + interventionOf[r.cell].silence + r.stood
		for who, s := range r.silence {
			if s > limit {
				tt.Errorf("%s: %s stood still for %s, wanted at most %s", r.cell, who, s, limit)
			}
		}
	}
}

// TestLongWhateverIsDoneToAMigrationApplicationsGoOn does everything that can be done to a
// workflow, in each stage.
func TestLongWhateverIsDoneToAMigrationApplicationsGoOn(t *testing.T) {
	labtest.Loop(t)
	t.Parallel()
	s := newRig(t, labtest.Cluster(t, "5.3.3"))
	rows := &table{}
	cells := chosen(loop())
	s.runAll(t, cells, cellsTogether, rows)
	rows.requireShortSilence(t, cells)
}

// at picks positions by the mode's first letter and their name.
func at(names ...string) (found []position) {
	for _, p := range positions() {
		if slices.Contains(names, string(p.mode[0])+"-"+p.name) {
			found = append(found, p)
		}
	}
	return found
}

// all makes a cell of each position. The goals take turns where there is a choice.
func all(d intervention, where []position) (cells []testCell) {
	for i, p := range where {
		goal := goalDone
		if p.back || d.away || i%2 == 0 {
			goal = goalBack
		}
		cells = append(cells, testCell{name: nameOf(p, d.name), at: p, intervention: d, goal: goal})
	}
	return cells
}

// ownTarget is a target that a test may kill.
func ownTarget(t *testing.T) *lab.Cluster {
	t.Helper()
	return labtest.OwnCluster(t, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
}

// inTheMiddle are the positions in which applications are moved.
func inTheMiddle() []position {
	return slices.DeleteFunc(positions(), func(p position) bool { return !touches(p) })
}

// The interventions that are done to all cells at once: one of these tests at a time fills the
// machine.

func TestLongTheTargetIsKilledInTheMiddleOfWaves(t *testing.T) {
	labtest.Loop(t)
	s, rows := newRig(t, ownTarget(t)), &table{}
	cells := chosen(all(targetKilled(), inTheMiddle()))
	s.runTogether(t, cells, s.killTarget, s.startTarget, rows)
	rows.requireShortSilence(t, cells)
}

func TestLongTheTemporalServerIsKilledInEachStage(t *testing.T) {
	labtest.Loop(t)
	s, rows := newRig(t, labtest.Cluster(t, "5.3.3")), &table{}
	cells := chosen(all(temporalKilled(), positions()))
	s.runTogether(t, cells, s.killTemporal, nil, rows)
	rows.requireShortSilence(t, cells)
}

func TestLongTheWorkerIsDeadForTenMinutesInTheMiddleOfMoves(t *testing.T) {
	labtest.Loop(t)
	const span = 10 * time.Minute
	s, rows := newRig(t, labtest.Cluster(t, "5.3.3")), &table{}
	cells := chosen(all(workerDead(span), inTheMiddle()))
	s.runTogether(t, cells, func() error { return s.killWorkerFor(span) }, nil, rows)
	rows.requireShortSilence(t, cells)
}
