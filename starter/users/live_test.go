package users

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
)

// What brokers of 4.9.7 allow and refuse, brokers and the proxy of 5.x allow and refuse afterwards,
// to the same keys.
func TestLongApplicationsMayDoTheSameWithTheirOldKeysOnTheTarget(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	source, _ := startSource(t, ctx)
	var before map[asked]bool
	for _, b := range source.Brokers {
		before = rulings(t, ctx, place{b.Name, b.Addr}, false)
	}
	wantAsBrokersOfOldRule(t, before)
	program := builtApplication(t)
	for _, version := range []string{"5.3.3", "5.5.0"} {
		t.Run(version, func(t *testing.T) {
			target, _ := startTarget(t, ctx, version)
			environment := map[string]string{
				"OLD_ACCESS_KEY": "root-of-source", "OLD_SECRET_KEY": "secret-of-root-of-source",
				"NEW_ACCESS_KEY": "root-of-target", "NEW_SECRET_KEY": "secret-of-root-of-target",
			}
			args := []string{
				"--source", source.NameServers[0], "--source-credentials", "OLD",
				"--target", target.NameServers[0], "--target-credentials", "NEW",
			}
			var all strings.Builder
			command := func(more ...string) ran {
				r := run(t, environment, append(append([]string{more[0]}, args...), more[1:]...)...)
				all.WriteString(r.text)
				require.NoError(t, r.err)
				return r
			}
			r := command("diff")
			assert.Equal(t, failure.Differs, r.code)
			assert.Contains(t, r.text, "broker broker-b: user only-writes: create the user")
			r = command("apply")
			assert.Contains(t, r.text, "nothing was written: the same command with --yes writes them")
			r = command("apply", "--yes")
			t.Log(r.text)
			assert.Equal(t, failure.Done, r.code, r.text)
			r = command("apply", "--yes", "-o=json")
			assert.Equal(t, failure.Done, r.code)
			assert.Empty(t, r.doc["changes"], "a second run changes nothing")
			assert.InDelta(t, 2*(len(applications)+1), r.doc["same"], 0)

			for _, b := range target.Brokers {
				requireSameRulings(t, b.Name, before, rulings(t, ctx, place{b.Name, b.Addr}, false))
			}
			requireSameRulings(t, "proxy", before, rulings(t, ctx, place{"proxy", target.ProxyRemoting}, true))
			requireStockClients(t, ctx, program, target)
			for _, a := range applications {
				require.NotContains(t, all.String(), a.secret())
			}
			require.NotContains(t, all.String(), "secret-of-root")
		})
	}
}

// wantAsBrokersOfOldRule holds what brokers of 4.9.7 say against what the model says of them.
func wantAsBrokersOfOldRule(t *testing.T, got map[asked]bool) {
	t.Helper()
	for _, c := range []struct {
		asked
		allowed bool
	}{
		{asked{"only-writes", "send", "orders", "billing"}, true},
		{asked{"only-writes", "pull", "orders", "billing"}, false},
		{asked{"only-reads", "heartbeat", "orders", "billing"}, true},
		{asked{"only-reads", "heartbeat", "orders", "auditing"}, false},
		{asked{"without-group", "heartbeat", "orders", "billing"}, false}, // 1.0 asks for the group too
		{asked{"without-group", "pull", "orders", "billing"}, false},
		{asked{"from-here", "create topic", "payments", "billing"}, true},
		{asked{"listed-admin", "create topic", "payments", "billing"}, true},
		{asked{"listed-admin", "send", "payments", "billing"}, false},
		{asked{"nothing-at-all", "trace", "orders", "billing"}, true},
	} {
		assert.Equal(t, c.allowed, got[c.asked], "%+v", c.asked)
	}
}

func requireSameRulings(t *testing.T, at string, before, after map[asked]bool) {
	t.Helper()
	var differ []string
	for q, now := range after {
		if was := before[q]; was != now {
			differ = append(differ, fmt.Sprintf("%+v: allowed %t before, %t on %s", q, was, now, at))
		}
	}
	assert.Empty(t, differ, at)
	t.Logf("%s: %d probes, %d ruled otherwise", at, len(after), len(differ))
}
