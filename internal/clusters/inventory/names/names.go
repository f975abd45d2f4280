// Package names finds names of topics and groups that 5.x, or a managed instance of it, doesn't take,
// and proposes others.
package names

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
)

// managedLongest is how long names of topics and groups of managed instances may be (serverless ones
// take 128).
const managedLongest = 60

var (
	managedForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	forbidden   = regexp.MustCompile(`[^A-Za-z0-9_-]+`)
	// reserved begins and ends names that managed instances keep for themselves.
	reserved = regexp.MustCompile(`^(rmq_sys_|%RETRY%|%DLQ%|rocketmq-broker-|rocketmq-proxy-)|_REPLY_TOPIC$`)
)

// Find is the area. It asks nothing more.
func Find(_ context.Context, _ facts.Sides, seen facts.Facts) ([]api.Finding, error) {
	var all []api.Finding
	target := seen.Plan.Target
	all = append(all, of(seen, "topic", "target.rename.topics", seen.TopicNames, target.Topic, rocketmq.TakesTopic)...)
	return append(all,
		of(seen, "group", "target.rename.groups", seen.GroupNames, target.Group, rocketmq.TakesGroup)...), nil
}

// of judges the names on the target. Those that no broker takes are refused elsewhere, one by one:
// here is a map for all of them.
func of(
	seen facts.Facts, kind, key string, names []string, renamed func(string) string, takes func(string) bool,
) (all []api.Finding) {
	managed := seen.Plan.Target.Proxied()
	var wrong []string
	for _, name := range names {
		own := renamed(name)
		why := Managed(own)
		if !takes(own) || managed && why != "" {
			wrong = append(wrong, name)
		}
		if why == "" || !takes(own) {
			continue
		}
		say := findings.NameManaged.Advice
		if managed {
			say = findings.NameManaged.Refusal
		}
		all = append(all, say(kind+" "+name, fmt.Sprintf("write %s: {%s: %s}, if the target is a managed instance", key,
			name, Propose(own)), "%s", why))
	}
	if len(wrong) > 0 {
		all = append(
			all,
			findings.RenameMap.Advice(kind+"s", "", "%d names have to change; a map for the plan: %s: {%s}",
				len(wrong), key, Map(wrong)),
		)
	}
	return all
}

// Managed says why a managed 5.x instance doesn't take a name; "" if it does.
func Managed(name string) string {
	switch {
	case len(name) > managedLongest:
		return fmt.Sprintf(
			"has %d characters; managed instances take %d, serverless ones 128",
			len(name),
			managedLongest,
		)
	case reserved.MatchString(name):
		return "has a beginning or an end that managed instances keep for themselves"
	case !managedForm.MatchString(name):
		return "has characters that managed instances don't take: letters, digits, _ and - are taken"
	}
	return ""
}

// Propose is a name that every 5.x takes, as like the given one as can be; different names get
// different proposals.
func Propose(name string) string {
	short := strings.Trim(forbidden.ReplaceAllString(name, "-"), "-")
	for reserved.MatchString(short) {
		short = "app-" + strings.TrimSuffix(short, "_REPLY_TOPIC")
	}
	sum := sha256.Sum256([]byte(name))
	end := "-" + hex.EncodeToString(sum[:4])
	if len(short) > managedLongest-len(end) {
		short = short[:managedLongest-len(end)]
	}
	return short + end
}

// mostMapped bounds the map that a finding shows.
const mostMapped = 20

// Map proposes a name for each, as a plan has it.
func Map(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	var all []string
	for _, name := range names[:min(len(names), mostMapped)] {
		all = append(all, fmt.Sprintf("%q: %s", name, Propose(name)))
	}
	text := strings.Join(all, ", ")
	if rest := len(names) - mostMapped; rest > 0 {
		text += fmt.Sprintf(", and %d more", rest)
	}
	return text
}
