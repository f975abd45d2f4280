// Package script writes mqadmin commands as a shell script, for those who must bring metadata to a
// cluster by hand. Everything that comes from the model is quoted.
package script

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rocketshift/internal/metadata"
)

// Writer writes the script.
type Writer struct{}

// head is the script's beginning: mqadmin ends with 0 whatever happens, so its words are looked at.
const head = `#!/bin/sh
# mqadmin commands that bring %d topics and %d groups to a cluster, written by rocketshift.
# Usage: %s
# MQADMIN is the program, mqadmin if it isn't set; the one of 5.x also does what attributes, order and
# retry policies of groups need. Each command takes more than a second. It stops at the first one that
# fails, and may be run again from its beginning.
set -eu
mqadmin=${MQADMIN:-mqadmin}
servers=${1:?want the name servers, host:port;host:port}
done=0
run() {
  out=$("$mqadmin" "$@" -n "$servers" 2>&1) || :
  case $out in
  *" success."*) done=$((done + 1)); printf '%%s of %d: %%s\n' "$done" "$*" ;;
  *) printf 'failed: %%s\n%%s\n' "$*" "$out" >&2; exit 1 ;;
  esac
}
address() {
  found=$("$mqadmin" clusterList -n "$servers" 2>/dev/null | awk -v name="$1" '$2 == name && $3 == 0 { print $4; exit }')
  [ -n "$found" ] || { printf 'no master of broker %%s is registered\n' "$1" >&2; exit 1; }
  printf '%%s' "$found"
}

`

// usage is how the script is called.
const usage = "MQADMIN=/path/to/bin/mqadmin ./script.sh '10.0.0.1:9876;10.0.0.2:9876'"

// lines collects commands.
type lines struct {
	brokers []string
	gaps    metadata.Gaps
	text    strings.Builder
	count   int
}

// Write writes the script.
func (Writer) Write(to io.Writer, c metadata.Cluster) (metadata.Gaps, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	l := &lines{brokers: brokersOf(c)}
	for _, t := range c.Topics {
		l.topic(t, slices.ContainsFunc(c.Order, func(o metadata.Order) bool { return o.Topic == t.Name }))
	}
	for _, g := range c.Groups {
		l.group(g)
	}
	for _, o := range c.Order {
		if l.sayable(o.Topic, "order configuration") {
			l.run("updateOrderConf", "-t", quote(o.Topic), "-m", "put", "-v", l.orderConf(o.Queues))
		}
	}
	for _, kv := range c.KV {
		if l.sayable(kv.Namespace, "KV") && l.sayable(kv.Key, "KV") && l.sayable(kv.Value, "KV") {
			l.run("updateKvConfig", "-s", quote(kv.Namespace), "-k", quote(kv.Key), "-v", quote(kv.Value))
		}
	}
	if len(c.Subscriptions) > 0 {
		l.gaps.Add("subscriptions", "mqadmin makes none: members bring theirs")
	}
	if len(c.Users) > 0 {
		l.gaps.Add("users", "their secrets aren't in the model: bring them from broker to broker or from a file")
	}
	_, err := io.WriteString(
		to,
		fmt.Sprintf(head, len(c.Topics), len(c.Groups), usage, l.count)+l.names(c)+l.text.String(),
	)
	return l.gaps, err
}

// brokersOf are the names of all brokers that the model names.
func brokersOf(c metadata.Cluster) []string {
	names := map[string]bool{}
	for _, b := range c.Brokers {
		names[b.Name] = true
	}
	for _, t := range c.Topics {
		for _, q := range t.Queues {
			names[q.Broker] = true
		}
	}
	for _, g := range c.Groups {
		for _, b := range g.Brokers {
			names[b] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// names are the script's variables for brokers and the cluster.
func (l *lines) names(c metadata.Cluster) string {
	var b strings.Builder
	if len(l.brokers) == 0 {
		b.WriteString("cluster=${2:?want the name of the cluster, as brokerClusterName has it}\n")
		return b.String() + "\n"
	}
	b.WriteString(
		"# The brokers that get it. Where they have other names than on the cluster that this was read from,\n" +
			"# change the right side.\n",
	)
	for i, name := range l.brokers {
		fmt.Fprintf(&b, "b%d=%s\n", i, quote(name))
	}
	for i := range l.brokers {
		fmt.Fprintf(&b, "a%d=$(address \"$b%d\")\n", i, i)
	}
	return b.String() + "\n"
}

func (l *lines) run(words ...string) {
	l.count++
	l.text.WriteString("run " + strings.Join(words, " ") + "\n")
}

// at is the flag that says which broker a command is for.
func (l *lines) at(broker string) string {
	return fmt.Sprintf(`-b "$a%d"`, slices.Index(l.brokers, broker))
}

// sayable reports whether mqadmin can take a word as a value: one that begins with - is a flag to it.
func (l *lines) sayable(word, what string) bool {
	if strings.HasPrefix(word, "-") || word == "" {
		l.gaps.Add(what, "mqadmin takes no value that is empty or begins with -", word)
		return false
	}
	return true
}

// quote makes one word of a text, whatever is in it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Bits of a topic's system flag (TopicSysFlag).
const (
	unit    = 1
	unitSub = 2
)

func (l *lines) topic(t metadata.Topic, ordered bool) {
	if !l.sayable(t.Name, "topics") {
		return
	}
	if len(t.Queues) == 0 {
		l.gaps.Add("topics without queues", "how many queues each broker has isn't known: they aren't made", t.Name)
		return
	}
	if t.Filter != "" && t.Filter != "SINGLE_TAG" {
		l.gaps.Add("filter of topics", "mqadmin has no flag for it", t.Name)
	}
	if t.Remark != "" {
		l.gaps.Add("remarks", "brokers keep none", t.Name)
	}
	keepsOrder := t.Order != nil && *t.Order
	more := []string{"-o", strconv.FormatBool(keepsOrder)}
	if t.SysFlag != nil && *t.SysFlag != 0 {
		more = append(
			more,
			"-u",
			strconv.FormatBool(*t.SysFlag&unit != 0),
			"-s",
			strconv.FormatBool(*t.SysFlag&unitSub != 0),
		)
		if *t.SysFlag&^(unit|unitSub) != 0 {
			l.gaps.Add("system flag of topics", "mqadmin sets two of its bits", t.Name)
		}
	}
	if a := attributes(t.Attributes, t.Type); a != "" {
		more = append(more, "-a", quote(a))
	}
	for _, q := range t.Queues {
		l.run(append([]string{
			"updateTopic", l.at(q.Broker), "-t", quote(t.Name), "-r", strconv.Itoa(q.Read), "-w", strconv.Itoa(q.Write),
			"-p", strconv.Itoa(q.Perm),
		}, more...)...)
	}
	if keepsOrder && !ordered { // updateTopic -o has made one
		l.run("updateOrderConf", "-t", quote(t.Name), "-m", "delete")
	}
}

// attributes are mqadmin's notation. A topic without a type is NORMAL to brokers of 5.x, and those of
// 4.x know no attributes.
func attributes(all map[string]string, kind metadata.MessageType) string {
	var words []string
	if kind != "" && kind != "NORMAL" {
		words = append(words, "+message.type="+string(kind))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, "+"+name+"="+all[name])
	}
	return strings.Join(words, ",")
}

// orderConf is the value of an order configuration, with the brokers' variables.
func (l *lines) orderConf(conf string) string {
	var words []string
	for _, part := range strings.Split(conf, ";") {
		name, queues, _ := strings.Cut(part, ":")
		if i := slices.Index(l.brokers, name); i >= 0 {
			words = append(words, fmt.Sprintf(`"$b%d"`, i)+quote(":"+queues))
		} else {
			words = append(words, quote(part))
		}
	}
	return strings.Join(words, "';'")
}
