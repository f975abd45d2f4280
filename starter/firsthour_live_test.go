package main

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
	"rocketshift/internal/metadata"
)

// A source of 4.9.7 with access control is assessed, and its topics, groups and users come to a
// target with a proxy that checks types, all by commands. Afterwards applications work there with
// their old keys, by brokers and by the proxy, and the proxy refuses what isn't of a topic's type.
func TestLongApplicationsFindTopicsGroupsAndRightsOnTheTarget(t *testing.T) {
	programs := builtPrograms(t)
	source := shopSource(t, "4.9.7", 2)
	source.openShop()
	for _, version := range []string{"5.3.3", "5.5.0"} {
		t.Run(version, func(t *testing.T) {
			target := shopTarget(t, version)
			c := commands{t, source.Cluster, target.Cluster}
			c.assess()
			c.writeAPlan()
			c.bring([]string{"--from", source.NameServers[0], "--credentials", "OLD"}, 4, 2)
			wantAsOnTheSource(t, source, target)
			c.bringUsers("--source", source.NameServers[0], "--source-credentials", "OLD")
			target.wantBrokersServe()
			target.wantProxyServes()
			programs.wantRemoting(target)
			programs.wantGRPC(target)
			if version == "5.3.3" {
				t.Run("from 4.5.2", func(t *testing.T) { bringByFiles(t, target) })
			}
		})
	}
}

// bringByFiles is the way from a source whose users can't be read live.
func bringByFiles(t *testing.T, target shop) {
	target.T = t
	source := shopSource(t, "4.5.2", 1)
	source.makeTopics("old-orders")
	source.makeGroups("old-billing")
	source.sendTo(source.Brokers[0].Addr, "old-orders", "NORMAL", nil)
	acl := source.allow(map[string]string{
		"old-shop": "  topicPerms: [old-orders=PUB|SUB]\n  groupPerms: [old-billing=SUB]\n",
	}, "old-orders")
	c := commands{t, source.Cluster, target.Cluster}
	file := filepath.Join(t.TempDir(), "cluster.yaml")
	o := c.run("metadata", "export", "--from", source.NameServers[0], "--credentials", "OLD", "--file", file)
	require.Equal(t, failure.Done, o.code, o.stderr)
	c.bring([]string{"--file", file}, 1, 1)
	c.bringUsers("--acl", acl)
	old := source.as("old-shop")
	for _, b := range target.Brokers {
		require.NoError(t, target.send(old, b.Addr, "old-orders", "NORMAL", nil))
		target.wantReadable(old, b.Addr, "old-orders", "old-billing")
		assert.Error(
			t,
			target.send(old, b.Addr, "shop-plain", "NORMAL", nil),
			"it had no right to this on 4.5.2 either",
		)
	}
}

// commands are command lines between two clusters.
type commands struct {
	*testing.T
	source, target *lab.Cluster
}

func (c commands) run(args ...string) outcome {
	c.Helper()
	return withKeys(c.T, map[string]string{
		"OLD_ACCESS_KEY": shopRoot, "OLD_SECRET_KEY": secretOf(shopRoot),
		"NEW_ACCESS_KEY": shopRoot, "NEW_SECRET_KEY": secretOf(shopRoot),
		"ROCKETSHIFT_SECRETS": "OLD=" + c.source.NameServers[0] + " NEW=" + c.target.NameServers[0],
	}, args...)
}

func (c commands) sides() []string {
	return []string{
		"--from", c.source.NameServers[0], "--credentials", "OLD",
		"--target", c.target.NameServers[0], "--target-credentials", "NEW",
	}
}

// assessment is what the test reads of a report.
type assessment struct {
	Refusals    int
	Findings    []struct{ ID, Object, Severity, Cause string }
	Recommended struct {
		Topics []struct{ Name, Type string }
		Groups []recommendedGroup
	}
}

type recommendedGroup struct {
	Name, Why string
	Orderly   bool
}

func (a assessment) ids() map[string]bool {
	ids := map[string]bool{}
	for _, f := range a.Findings {
		ids[f.ID] = true
	}
	return ids
}

func (c commands) assess() {
	c.Helper()
	var report assessment
	// for ten seconds, soon after its start, brokers were seen not to have a member of client-go
	require.Eventually(c, func() bool {
		o := c.run(append([]string{"assess", "-o", "json"}, c.sides()...)...)
		require.Equal(c, failure.Done, o.code, o.stdout+o.stderr)
		report = assessment{}
		require.NoError(c, json.Unmarshal([]byte(o.stdout), &report))
		return slices.ContainsFunc(report.Recommended.Groups, func(g recommendedGroup) bool { return g.Orderly })
	}, time.Minute, time.Second, "a member says that it reads in order")
	assert.Zero(c, report.Refusals, "%v", report.Findings)
	for _, id := range []string{"delays-pending", "transactions"} {
		assert.Contains(c, report.ids(), id)
	}
	for _, id := range []string{"types-mixed", "order-without-key", "delay-beyond-limit", "group-mixes-order"} {
		assert.NotContains(c, report.ids(), id)
	}
	types := map[string]string{}
	for _, topic := range report.Recommended.Topics {
		types[topic.Name] = topic.Type
	}
	assert.Equal(c, shopTypes, types)
	for _, group := range report.Recommended.Groups {
		assert.Equal(c, group.Name == "shop-billing", group.Orderly, "%+v", group)
	}
}

// writeAPlan writes a first plan, which is one, and which assess finds nothing against.
func (c commands) writeAPlan() {
	c.Helper()
	file := filepath.Join(c.TempDir(), "plan.yaml")
	o := c.run(append([]string{"plan", "--file", file}, c.sides()...)...)
	require.Equal(c, failure.Done, o.code, o.stderr)
	o = c.run("plan", file)
	require.Equal(c, failure.Done, o.code, o.stderr)
	o = c.run("assess", "--plan", file)
	require.Equal(c, failure.Done, o.code, o.stdout+o.stderr)
	text, err := os.ReadFile(file)
	require.NoError(c, err)
	assert.NotContains(c, string(text)+o.stdout, "secret-of")
}

// bring brings topics and groups, twice.
func (c commands) bring(from []string, topics, groups int) {
	c.Helper()
	line := append([]string{
		"metadata", "apply", "--to", c.target.NameServers[0], "--target-credentials", "NEW", "--yes",
	}, from...)
	o := c.run(append(line, "-o", "json")...)
	require.Equal(c, failure.Done, o.code, o.stdout+o.stderr)
	doc := documents(c.T, o.stdout)[0]
	assert.Len(c, doc["createTopics"], topics)
	assert.Len(c, doc["createGroups"], groups)
	o = c.run(line...)
	require.Equal(c, failure.Done, o.code, o.stdout+o.stderr)
	assert.Contains(c, o.stdout, "Nothing differs")
}

// bringUsers brings users and rights, twice.
func (c commands) bringUsers(from ...string) {
	c.Helper()
	line := append([]string{
		"users", "apply", "--target", c.target.NameServers[0], "--target-credentials", "NEW", "--yes",
	}, from...)
	o := c.run(line...)
	require.Equal(c, failure.Done, o.code, o.stdout+o.stderr)
	assert.NotContains(c, o.stdout+o.stderr, "secret-of")
	o = c.run(append(line, "-o", "json")...)
	require.Equal(c, failure.Done, o.code, o.stdout+o.stderr)
	assert.Empty(c, documents(c.T, o.stdout)[0]["changes"], "a second run changes nothing")
}

func wantAsOnTheSource(t *testing.T, source, target shop) {
	t.Helper()
	ctx := context.Background()
	order, err := target.root.KVList(ctx, target.NameServers[0], metadata.OrderNamespace)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"shop-orders": shopOrder}, order)
	for _, b := range target.Brokers {
		configs, err := target.root.TopicConfigs(ctx, b.Addr)
		require.NoError(t, err)
		for topic, kind := range shopTypes {
			got := cmp.Or(configs[topic].Attributes["message.type"], "NORMAL") // which is what absence means
			assert.Equal(t, kind, got, topic)
			assert.Equal(t, []int{shopQueues, shopQueues, 6},
				[]int{configs[topic].ReadQueues, configs[topic].WriteQueues, configs[topic].Perm}, topic)
		}
		groups, err := target.root.Groups(ctx, b.Addr)
		require.NoError(t, err)
		for _, group := range []string{"shop-billing", "shop-by-grpc"} {
			assert.True(t, groups[group].ConsumeEnable, group)
		}
	}
}
