package main

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/replicator/lane"
	"rocketshift/starter/remote"
)

// evil is what a client may call itself: it sets a terminal's title, forges a line and turns
// another.
const evil = "\x1b]0;x\x07\nState  done\u202e"

// shown is evil as people see it.
const shown = `\x1b]0;x\a\nState  done\u202e`

// fromClients is a status with everything that clients and brokers choose.
func fromClients() remote.Snapshot {
	s := running(func(s *remote.Snapshot) {
		s.Replication = []api.ReplicationProgress{{
			Broker: evil, Unpaired: []string{evil},
			Progress: lane.Progress{
				Lanes: 1, Waiting: evil, Topics: []lane.TopicProgress{{
					Topic: "t" + evil, Lanes: 1,
					Reason: evil,
				}},
				Stragglers: []lane.Straggler{{Topic: "t", Sender: evil}},
				Faults: []lane.Fault{{
					Topic: "t", Broker: evil, Type: "Gone", Cause: evil,
					Next: evil,
				}},
			},
		}}
		s.Sync = &api.SyncProgress{Past: &api.Past{Count: 1, Clients: []string{evil +
			" at 10.0.0.7:1"}}}
		s.Blocked = []remote.Blocked{{
			Activity: "AwaitEmpty", Attempt: 2,
			Cause: "1 clients are still behind the gateway: " + evil,
		}}
	})
	s.Metadata = &api.MetadataDiff{Warnings: api.Some(api.Finding{
		Object: "setting regionId", Cause: evil, Next: evil,
	})}
	s.Detail, s.Notes, s.Error = evil, []string{evil}, evil
	s.Waiting = []api.Waiting{{Kind: api.WaitingApproval, Gate: "shift-25", Text: evil}}
	s.Ledger = &api.Ledger{Rows: api.Some(api.LedgerRow{
		Kind: "kind", Object: evil,
		Detail: evil,
	})}
	return s
}

func TestWhatClientsNameIsShownAndDoesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		looks []look
		shown string
	}{
		"status":       {[]string{"status", "orders"}, seen(fromClients()), shown + " at 10.0.0.7:1"},
		"lanes":        {[]string{"lanes", "orders"}, seen(fromClients()), "t" + shown},
		"what changes": {[]string{"status", "orders", "--wait=asked"}, seen(fromClients()), shown},
		"JSON": {
			[]string{"status", "orders", "-o", "json"},
			seen(fromClients()),
			`\u001b]0;x\u0007\nState  done\u202e`,
		},
		"an error": {[]string{"status", "orders"}, []look{{err: errors.New(evil)}}, `\x1b]0;x\a`},
		"an error as JSON": {
			[]string{"status", "orders", "-o", "json"},
			[]look{{err: errors.New(evil)}},
			`\u001b]0;x\u0007`,
		},
	} {
		o := rocketshift(t, &fake{looks: c.looks}, c.args...)
		text := o.stdout + o.stderr
		require.Contains(t, text, c.shown, name)
		for _, r := range text {
			assert.True(t, unicode.IsPrint(r) || r == '\n' || r == '\t', "%s: %q in %q", name, r, text)
		}
		if !strings.HasPrefix(name, "an error") { // which may have several lines
			assert.NotContains(t, text, "\nState  done", name)
		}
	}
}
