package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

// beforeReplicate is a Temporal that has the migration, and no Replicate yet.
func beforeReplicate(of remote.Snapshot) []look {
	return []look{{err: remote.ErrNotFound}, {snapshot: of}}
}

func TestLanesBeforeReplicateSayWhenTheyBegin(t *testing.T) {
	at := running(func(s *remote.Snapshot) { s.Stage = api.PurchaseType })
	f := &fake{looks: beforeReplicate(at)}
	o := rocketshift(t, f, "lanes", "orders")
	require.Equal(t, failure.Done, o.code, o.stderr)
	require.Equal(t, []string{"migration-orders-replicate", "migration-orders"}, f.asked)
	assert.Contains(t, o.stdout, "no lane of orders runs yet: Replicate begins after ImportMetadata")
	assert.Contains(t, o.stdout, "is at Purchase (running)")

	o = rocketshift(t, &fake{looks: beforeReplicate(at)}, "lanes", "orders", "-o", "json")
	assert.Contains(t, o.document(t)["waiting"].([]any)[0], "no lane of orders runs yet")
	o = rocketshift(t, &fake{looks: beforeReplicate(over(api.StateFailed, "refused"))},
		"lanes", "orders")
	assert.Contains(t, o.stdout, "no lane of orders has run: migration-orders has ended (failed)")
}

func TestLanesOfNoMigrationAreAMistake(t *testing.T) {
	o := rocketshift(t, &fake{looks: unseen(remote.ErrNotFound)}, "lanes", "orders")
	require.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "there is no workflow migration-orders")
	assert.NotContains(t, o.stderr, "migration-orders-replicate")
}

func TestARateBeforeReplicateIsRefused(t *testing.T) {
	f := &fake{
		looks:  seen(running()),
		update: func(any) (any, error) { return nil, remote.ErrNotFound },
	}
	o := rocketshift(t, f, "rate", "orders", "--messages", "5", "--by", "bob")
	require.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "no lane of orders runs yet")
}
