package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/internal/printable"
	"rocketshift/replicator/lane"
	"rocketshift/starter/page"
	"rocketshift/starter/remote"
)

func TestStatusShowsWhatIsAskedAndTheCommandThatAnswers(t *testing.T) {
	o := rocketshift(t, &fake{looks: seen(asking("shift-25"))}, "status", "orders")
	require.Equal(t, failure.Waiting, o.code, o.stderr)
	for _, want := range []string{
		"Migration  orders   waiting   plan 0123456789ab",
		"for approval shift-25 since", "shift to 25%: topics orders", "evidence fedcba987654", "measured again in 5",
		"rocketshift approve orders shift-25 --by YOU --reason WHY", "rocketshift back orders --by YOU --reason WHY",
		"Assess", "1h0m0s", "3 topics", "Finalize", "25%", "billing",
	} {
		assert.Contains(t, o.stdout, want)
	}
	assert.NotContains(t, o.stdout, "\x1b", "no escapes where no terminal is")
}

func TestStatusInJSONIsOneDocumentWithNextCommands(t *testing.T) {
	doc := rocketshift(t, &fake{looks: seen(asking("shift-25"))}, "status", "orders", "-o", "json").document(t)
	assert.Equal(t, "migration-orders", doc["workflowId"])
	assert.Equal(t, "waiting", doc["state"])
	assert.Equal(t, []any{"rocketshift approve orders shift-25 --by YOU --reason WHY"}, doc["next"])
}

func TestStatusOfAStageThatRunsAloneAnswersThere(t *testing.T) {
	s := asking("purchase")
	s.WorkflowID, s.Type = "migration-orders-purchase", api.PurchaseType
	for _, stage := range []string{"Purchase", "purchase"} {
		f := &fake{looks: seen(s)}
		o := rocketshift(t, f, "status", "orders", "--stage", stage)
		assert.Equal(t, []string{"migration-orders-purchase"}, f.asked)
		assert.Contains(t, o.stdout, "rocketshift approve orders purchase --by YOU --reason WHY --stage Purchase")
	}
}

func TestStatusShowsLiveLagFaultsAndGatesThatDoNotPass(t *testing.T) {
	s := running(func(s *remote.Snapshot) {
		s.Replication = []api.ReplicationProgress{
			{Broker: "a", Progress: lane.Progress{
				Lanes: 8, CaughtUp: 8, Copied: 20480, Lag: 0,
				Back: &lane.Progress{Lanes: 8, CaughtUp: 7, Lag: 3, Waiting: "target broker z is busy"},
			}},
			{
				Broker: "b",
				Progress: lane.Progress{
					Lanes:    4,
					CaughtUp: 3,
					Copied:   1,
					Lag:      1200,
					Waiting:  "source broker b is down",
					Faults: []lane.Fault{
						{
							Topic:  "t",
							Broker: "b",
							Queue:  2,
							Type:   "SourceTruncated",
							From:   5,
							To:     9,
							Cause:  "the source deleted them",
							Next:   "raise its retention",
						},
					},
				},
			},
		}
		s.Sync = &api.SyncProgress{Groups: 3}
		s.Comparing = &api.VerifyProgress{Messages: 40_000, Read: 10_000, PerSecond: 5000, Left: "6s"}
		s.Blocked = []remote.Blocked{
			{
				Activity: "AwaitMembers",
				Attempt:  7,
				Type:     "NotReady",
				Cause:    "2 members of billing are still on the source",
			},
		}
		s.Target = &api.Instance{
			Provider:    "local",
			Cluster:     "c",
			Version:     "5.3.3",
			NameServers: []string{"127.0.0.1:1"},
			ProxyGRPC:   "127.0.0.1:2",
		}
		s.Inventory = &api.InventorySummary{
			SourceVersion: "4.9.7",
			Messages:      1234567,
			Findings:      api.Some(api.Finding{Refusal: true, Object: "topic x", Cause: "c", Next: "n"}),
		}
		s.Metadata = &api.MetadataDiff{Warnings: api.Some(s.Inventory.Findings.First()[0],
			api.Finding{Object: "setting regionId", Cause: "is eu", Next: "write it"})}
		s.Verification = &api.Verification{
			Compared:   5000,
			Lanes:      12,
			FromSlaves: []string{"broker-s (slave 127.0.0.1:3)"},
			LeftOut:    []string{"broker-l"},
		}
		s.Ledger = &api.Ledger{
			Rows: api.Some(
				api.LedgerRow{Kind: "dead letters", Object: "%DLQ%billing", Rest: 7}),
		}
		s.Notes = []string{"12:00:00 hold by alice"}
		s.Error = "boom"
	})
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	for _, want := range []string{
		"1,200 messages behind, 11 of 12 lanes caught up, 20,481 copied; back to the source 3 messages " +
			"behind, 7 of 8 lanes caught up, 0 copied; positions of 3 groups in sync",
		"10,000 of 40,000 messages, 5,000 a second, 6s left", "target broker z is busy",
		"source broker b is down", "SourceTruncated: topic t, broker b, queue 2, offsets 5 to 9: the source " +
			"deleted them; raise its retention",
		"AwaitMembers (try 7): 2 members of billing are still on the source",
		"local c, RocketMQ 5.3.3, name servers 127.0.0.1:1, gRPC 127.0.0.1:2", "1,234,567 messages", "topic x: c; n",
		"5,000 messages in 12 lanes", "no master: broker-s (slave 127.0.0.1:3); what that had besides", "%DLQ%billing",
		"broker-l by the plan: nothing is said of what they hold",
		"hold by alice", "boom",
	} {
		assert.Contains(t, o.stdout, want)
	}
	assert.Contains(t, o.stdout, "setting regionId: is eu; write it", "ImportMetadata saw it")
	assert.Equal(t, 1, strings.Count(o.stdout, "topic x: c; n"), "what Assess told isn't told twice")
}

func TestAHoldIsShownAsHeld(t *testing.T) {
	s := running(func(s *remote.Snapshot) {
		s.State = api.StateWaiting
		s.Waiting = []api.Waiting{{Kind: api.WaitingGate, Gate: api.ResumeName, Text: "held by alice: lunch"}}
	})
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	assert.Contains(t, o.stdout, "held   plan")
	assert.Contains(t, o.stdout, "rocketshift resume orders --by YOU")
}

func TestNotesOfAMigrationAndItsStagesAreShownOnce(t *testing.T) {
	s := running(func(s *remote.Snapshot) {
		s.Notes = []string{"12:00:00 hold by alice", "12:00:01 resume by alice", "12:00:00 hold by alice"}
	})
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	assert.Equal(t, 1, strings.Count(o.stdout, "hold by alice"))
	assert.Len(t, s.Notes, 3, "the status itself stays as it came")
}

func TestStatusOfNothingAndOfNobody(t *testing.T) {
	o := rocketshift(t, &fake{looks: unseen(remote.ErrNotFound)}, "status", "orders")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "there is no workflow migration-orders; rocketshift start")
	o = rocketshift(t, &fake{looks: unseen(errLate)}, "status", "orders")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "no worker answers")
	assert.Contains(t, o.stderr, "start bin/rocketshift-worker")
}

func TestWatchPrintsOnlyWhatChanged(t *testing.T) {
	soaking := running(func(s *remote.Snapshot) { s.Waves[0].State = api.WaveSoak })
	o := rocketshift(
		t,
		&fake{
			looks: seen(running(), running(), asking("shift-25"), asking("shift-25"), soaking, over(api.StateDone, "")),
		},
		"status",
		"orders",
		"--watch",
	)
	assert.Equal(t, failure.Done, o.code)
	var texts []string
	for _, line := range strings.Split(strings.TrimSpace(o.stdout), "\n") {
		_, text, _ := strings.Cut(line, " ")
		texts = append(texts, text)
	}
	assert.Equal(t, []string{
		"migration-orders: running", "stage Assess: done", "stage Assess: 3 topics", "stage Shift: running", "step 25%: groups",
		"migration-orders: waiting",
		"waiting for approval shift-25: shift to 25%: topics orders; next: rocketshift approve orders " +
			"shift-25 --by YOU --reason WHY",
		"migration-orders: running", "step 25%: soak",
		"migration-orders: done", "step 25%: groups", "report: .run/reports/orders.json",
	}, texts)
}

func TestWatchGoesOnWhenTheWorkerIsAwayForAWhile(t *testing.T) {
	looks := append(
		unseen(errLate),
		append(
			seen(running()),
			append(unseen(errors.New("server away")), seen(over(api.StateRolledBack, ""))...)...)...)
	o := rocketshift(t, &fake{looks: looks}, "status", "orders", "-w")
	assert.Equal(t, failure.RolledBack, o.code)
	assert.Contains(t, o.stdout, "no worker answers")
	assert.Contains(t, o.stdout, "server away")
	assert.Contains(t, o.stdout, "migration-orders: rolledBack")
}

func TestWatchInJSONPrintsOneDocumentPerChange(t *testing.T) {
	o := rocketshift(t,
		&fake{looks: seen(running(), running(), asking("purchase"), over(api.StateFailed, "no"))}, "status",
		"orders", "--watch", "-o", "json")
	assert.Equal(t, failure.Failed, o.code)
	var states []any
	for _, line := range strings.Split(strings.TrimSpace(o.stdout), "\n") {
		var doc map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &doc), line)
		states = append(states, doc["state"])
	}
	assert.Equal(t, []any{"running", "waiting", "failed"}, states)
}

func TestWatchOfNothingEnds(t *testing.T) {
	assert.Equal(t, failure.BadUsage,
		rocketshift(t, &fake{looks: unseen(remote.ErrNotFound)}, "status", "orders", "--watch").code)
}

func TestWaitEndsWhenSomebodyIsAskedUnlessTheEndIsWanted(t *testing.T) {
	looks := func() []look { return seen(running(), asking("purchase"), running(), over(api.StateDone, "")) }
	o := rocketshift(t, &fake{looks: looks()}, "status", "orders", "--wait", "-o", "json")
	assert.Equal(t, failure.Waiting, o.code)
	assert.Equal(t, "waiting", o.document(t)["state"])
	assert.Contains(t, o.stderr, "migration-orders: running", "what happens meanwhile goes to standard error")
	o = rocketshift(t, &fake{looks: looks()}, "status", "orders", "--wait=end", "-o", "json")
	assert.Equal(t, failure.Done, o.code)
	assert.Equal(t, "done", o.document(t)["state"])
}

func TestNumbersDoNotFillALog(t *testing.T) {
	var out bytes.Buffer
	clock := noon
	a := newApp(nil, nil, nil, nil)
	a.now = func() time.Time { return clock }
	c := a.changes(&out)
	for i := range 25 { // 25 looks, a second apart, each with another lag
		clock = noon.Add(time.Duration(i) * time.Second)
		c.Show(running(func(s *remote.Snapshot) {
			s.Replication = []api.ReplicationProgress{{Progress: lane.Progress{Lag: int64(1000 - i)}}}
		}), nil)
	}
	assert.Equal(t, 3, strings.Count(out.String(), "lag: "), out.String())
}

func TestATerminalIsRedrawnInPlaceAndCutToItsHeight(t *testing.T) {
	var out bytes.Buffer
	a := newApp(nil, &out, nil, func(string) (string, bool) { return "", false })
	draw := a.redraw()
	draw(running(), nil)
	draw(running(), errors.New("server away"))
	assert.Equal(t, 1, strings.Count(out.String(), "\x1b[2J"), "cleared once")
	assert.Equal(t, 2, strings.Count(out.String(), "\x1b[H"), "then written over")
	assert.Contains(t, out.String(), "server away")
}

func TestThousandsAreGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		assert.Equal(t, want, printable.Grouped(n))
	}
}

func TestStatusNamesTheBusiestStragglers(t *testing.T) {
	s := running()
	for i := range 7 {
		s.Replication = append(s.Replication, api.ReplicationProgress{Progress: lane.Progress{
			Back: &lane.Progress{
				Stragglers: []lane.Straggler{
					{Topic: "orders", Broker: "broker-a", Queue: i, Sender: "10.0.0.7:4711", PerSecond: float64(i)},
				},
			},
		}})
	}
	o := rocketshift(t, &fake{looks: []look{{snapshot: s}}}, "status", "orders")
	assert.Equal(t, page.MaxStrays, strings.Count(o.stdout, "10.0.0.7:4711 writes to topic orders"), o.stdout)
	assert.Contains(t, o.stdout, "queue broker-a/6")
	assert.NotContains(t, o.stdout, "queue broker-a/1:")
}

func TestStatusTellsClientsPastTheGateways(t *testing.T) {
	s := running()
	s.Sync = &api.SyncProgress{
		Past: &api.Past{Count: 1, Clients: []string{"billing@1 at 10.0.0.7:4711, of group billing"}},
	}
	o := rocketshift(t, &fake{looks: []look{{snapshot: s}}}, "status", "orders")
	assert.Contains(t, o.stdout,
		"1 clients reach brokers past the gateways: billing@1 at 10.0.0.7:4711, of group billing")
}
