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

// Real brokers behind relays are at other addresses than they advertise, on both sides, or have
// other clocks.
func TestLongBrokersUnderOtherAddressesAndWithOtherClocksAreFound(t *testing.T) {
	s, target := sourceOn(t, labtest.Cluster(t, "4.9.7")), labtest.Cluster(t, "5.3.3")
	s.topic("assess-addresses")
	direct := s.names[0]
	assessed := func(from string, towards plan.Target, change func(*plan.Plan)) Report {
		t.Helper()
		_, report := s.assessed(func(p *plan.Plan) {
			p.Source.NameServers, p.Target = []string{from}, towards
			p.Topics.Include, p.Groups.Include = []string{"assess-addresses"}, []string{}
			change(p)
		})
		return report
	}
	existing := func(nameServer string) plan.Target {
		return plan.Target{Provider: plan.ProviderExisting, NameServers: []string{nameServer}}
	}
	none := func(*plan.Plan) {}
	report := assessed(direct, existing(target.NameServers[0]), none)
	for _, id := range []string{"self-replication", "broker-address", "clock-skew"} {
		assert.Empty(t, told(report, id))
	}

	other := relay(t, direct, func(body string) string { return strings.ReplaceAll(body, "127.0.0.1:", "127.0.0.2:") })
	report = assessed(direct, existing(other), none)
	require.Len(t, told(report, "self-replication"), 2, "each of both brokers: %v", idsOf(report))
	assert.Contains(t, told(report, "self-replication")[0], "both started at the same millisecond")
	report = assessed(direct, existing(strings.Replace(direct, "127.0.0.1", "127.0.0.2", 1)), none)
	require.Len(t, told(report, "self-replication"), 2)
	assert.Contains(t, told(report, "self-replication")[0], "source and target are the same cluster")

	// Nobody is at 240.0.0.1, and what listens at the port on the name server's host is the broker.
	away := relay(t, direct, func(body string) string { return strings.ReplaceAll(body, "127.0.0.1:", "240.0.0.1:") })
	report = assessed(away, plan.Target{Provider: plan.ProviderLocal}, none)
	require.Len(t, told(report, "broker-address"), 2)
	assert.Contains(t, told(report, "broker-address")[0], "where it doesn't answer; it answers at 127.0.0.1:")
	assert.Zero(t, report.Topics)
	report = assessed(away, plan.Target{Provider: plan.ProviderLocal}, func(p *plan.Plan) {
		p.Source.Advertised = map[string]string{}
		for _, b := range labtest.Cluster(t, "4.9.7").Brokers {
			p.Source.Advertised[strings.Replace(b.Addr, "127.0.0.1", "240.0.0.1", 1)] = b.Addr
		}
	})
	assert.Empty(t, told(report, "broker-address"))
	assert.Equal(t, 1, report.Topics, "it is reached where the plan says")

	late := relay(t, s.at.Addr, behindBy(time.Hour))
	skewed := relay(t, direct, func(body string) string { return strings.ReplaceAll(body, s.at.Addr, late) })
	report = assessed(skewed, existing(target.NameServers[0]), none)
	skews := strings.Join(told(report, "clock-skew"), "\n")
	assert.Contains(t, skews, "source broker "+s.at.Name+": its clock is at least 1h0m0s behind that of this machine")
	assert.Contains(t, skews, "warning clocks: those of source broker "+s.at.Name)
	assert.Len(t, told(report, "clock-skew"), 2, "the other brokers' clocks are right")
}
