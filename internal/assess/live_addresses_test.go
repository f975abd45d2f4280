package assess

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

// booted is when a broker started by its clock, as its runtime information tells it.
var booted = regexp.MustCompile(`("bootTimestamp":")([0-9]+)(")`)

// stored is the end of a broker's commit log.
var stored = regexp.MustCompile(`"commitLogMaxOffset":"[0-9]+"`)

// behindBy has a broker's clock behind, in its answers.
func behindBy(by time.Duration) func(string) string {
	return func(body string) string {
		return booted.ReplaceAllStringFunc(body, func(told string) string {
			parts := booted.FindStringSubmatch(told)
			at, _ := strconv.ParseInt(parts[2], 10, 64)
			return parts[1] + strconv.FormatInt(at-by.Milliseconds(), 10) + parts[3]
		})
	}
}

// relayed is a source of two real brokers that are read through relays, and a target.
type relayed struct {
	source
	target []string // name servers
}

// assessed assesses from a name server, or a relay to one, towards a target that exists, or a local
// one where none is named.
func (r relayed) assessed(from, towards string, change func(*plan.Plan)) Report {
	r.Helper()
	_, report := r.source.assessed(func(p *plan.Plan) {
		p.Source.NameServers = []string{from}
		if towards != "" {
			p.Target = plan.Target{Provider: plan.ProviderExisting, NameServers: []string{towards}}
		}
		p.Topics.Include, p.Groups.Include = []string{"assess-addresses"}, []string{}
		change(p)
	})
	return report
}

// elsewhere is a relay to the name server that says other addresses of brokers.
func (r relayed) elsewhere(as func(body string) string) string { return relay(r.T, r.names[0], as) }

// said is a relay to the name server that leads to a relay to the first broker, of which it changes
// what it says.
func (r relayed) said(change func(body string) string) string {
	behind := relay(r.T, r.at.Addr, change)
	return r.elsewhere(func(body string) string { return strings.ReplaceAll(body, r.at.Addr, behind) })
}

func onlyThatTopic(*plan.Plan) {}

func relayedOf(t *testing.T) relayed {
	t.Helper()
	r := relayed{sourceOn(t, labtest.Cluster(t, "4.9.7")), labtest.Cluster(t, "5.3.3").NameServers}
	r.topic("assess-addresses")
	return r
}

// Real brokers behind relays are at other addresses than they advertise, on either side.
func TestLongBrokersUnderOtherAddressesAreFound(t *testing.T) {
	r := relayedOf(t)
	direct := r.names[0]
	report := r.assessed(direct, r.target[0], onlyThatTopic)
	assert.Empty(t, told(report, "self-replication"))
	assert.Empty(t, told(report, "broker-address"))

	other := r.elsewhere(func(body string) string { return strings.ReplaceAll(body, "127.0.0.1:", "127.0.0.2:") })
	report = r.assessed(direct, other, onlyThatTopic)
	require.Len(t, told(report, "self-replication"), 2, "each of both brokers: %v", idsOf(report))
	assert.Contains(t, told(report, "self-replication")[0], "both started at the same millisecond")
	report = r.assessed(direct, strings.Replace(direct, "127.0.0.1", "127.0.0.2", 1), onlyThatTopic)
	require.Len(t, told(report, "self-replication"), 2)
	assert.Contains(t, told(report, "self-replication")[0], "source and target are the same cluster")

	// Nobody is at 240.0.0.1, and what listens at the port on the name server's host is the broker.
	away := r.elsewhere(func(body string) string { return strings.ReplaceAll(body, "127.0.0.1:", "240.0.0.1:") })
	report = r.assessed(away, "", onlyThatTopic)
	require.Len(t, told(report, "broker-address"), 2)
	assert.Contains(t, told(report, "broker-address")[0], "where it doesn't answer; it answers at 127.0.0.1:")
	assert.Zero(t, report.Topics)
	report = r.assessed(away, "", func(p *plan.Plan) {
		p.Source.Advertised = map[string]string{}
		for _, b := range labtest.Cluster(t, "4.9.7").Brokers {
			p.Source.Advertised[strings.Replace(b.Addr, "127.0.0.1", "240.0.0.1", 1)] = b.Addr
		}
	})
	assert.Empty(t, told(report, "broker-address"))
	assert.Equal(t, 1, report.Topics, "it is reached where the plan says")
}

// What can't be had here (old brokers and clients, other clocks, larger disks) is put into the answers
// of a real broker, beside one that answers as it is.
func TestLongWhatBrokersSayOfThemselvesAndOfClientsIsFound(t *testing.T) {
	r := relayedOf(t)
	r.silentMember("assess-addresses-readers", "reader", "assess-addresses")
	withReaders := func(p *plan.Plan) { p.Groups.Include = []string{"assess-addresses-readers"} }
	clean := r.assessed(r.names[0], r.target[0], withReaders)
	replaced := func(what, by string) func(string) string {
		return func(body string) string { return strings.ReplaceAll(body, what, by) }
	}
	broker := "source broker " + r.at.Name
	for id, c := range map[string]struct {
		say  func(body string) string
		plan func(*plan.Plan)
		want string
	}{
		"batches-refused": {func(body string) string {
			return strings.NewReplacer(`"V4_9_7"`, `"V4_7_1"`, "enableDLegerCommitLog=false", "enableDLegerCommitLog=true").
				Replace(body)
		}, onlyThatTopic, "setting enableDLegerCommitLog: is true on " + broker + " of version (V4_7_1|4.7.1)"},
		"source-too-old": {replaced(`"V4_9_7"`, `"V4_2_0"`), onlyThatTopic, broker + ": runs version 4.2.0"},
		"target-disk-small": {func(body string) string {
			return stored.ReplaceAllString(body, `"commitLogMaxOffset":"4000000000000000"`)
		}, onlyThatTopic, "commit logs of the source: 37252"},
		"client-http":    {replaced(`"language":"JAVA"`, `"language":"HTTP"`), withReaders, "reader at 127.0.0.1:"},
		"client-too-old": {replaced(`"version":409`, `"version":253`), withReaders, "1 clients are older than 4.4.0"},
		// Brokers tell whole seconds.
		"clock-skew": {behindBy(time.Hour), onlyThatTopic, broker + `: its clock is at least (1h0m0s|59m59s) behind`},
	} {
		report := r.assessed(r.said(c.say), r.target[0], c.plan)
		assert.Regexp(t, c.want, strings.Join(told(report, id), "\n"), id)
		assert.Empty(t, told(clean, id))
		if id == "clock-skew" {
			assert.Len(t, told(report, id), 2, "that of the broker, and both that are furthest apart: the others are right")
		}
	}
}
