package gateway

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
)

// codeRuntime is GET_BROKER_RUNTIME_INFO.
const codeRuntime = 28

// tells has a broker tell the time by its clock.
func (two *twoSides) tells(on routing.Side, ahead time.Duration) {
	const ran = 26*time.Hour + 3*time.Minute + 4*time.Second
	begun := time.Now().Add(ahead - ran).UnixMilli()
	two.brokers[on].answer(
		codeRuntime,
		wire.Reply{
			Body: fmt.Appendf(nil,
				`{"table":{"bootTimestamp":"%d","runtime":"[ 1 days, 2 hours, 3 minutes, 4 seconds ]"}}`,
				begun),
		},
	)
}

// Whoever writes past the gateways is found whatever the broker's clock says; where that isn't
// known, it is said that nothing is known.
func TestWhoWritesPastIsFoundWhateverTheBrokersClockSays(t *testing.T) {
	past := netip.MustParseAddrPort("10.0.0.7:4711")
	for name, ahead := range map[string]time.Duration{"on time": 0, "three minutes late": -3 * time.Minute, "three minutes ahead": 3 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			two := newTwoSides(t)
			two.checks.Bypassing.Life, two.serving = time.Minute, time.Now().Add(-time.Hour)
			stored := remotingtest.Stored(
				remoting.Message{
					Topic:          "orders",
					QueueOffset:    7,
					BornHost:       past,
					StoreTimestamp: time.Now().Add(ahead).UnixMilli(),
					StoreHost:      past,
					Body:           []byte("m"),
				},
			)
			two.brokers[routing.Source].answer(remoting.CodeMaxOffset, wire.Reply{Fields: []string{"offset", "7"}})
			two.brokers[routing.Source].answer(remoting.CodePull,
				wire.Reply{Fields: []string{"nextBeginOffset", "8", "minOffset", "0", "maxOffset", "8"}, Body: stored})
			two.checks.LookForBypassing(t.Context())
			all, why := two.checks.Bypassing.List()
			assert.Empty(t, all)
			assert.Contains(t, why, "the time of source broker broker-a isn't known", "nobody says that there is none")
			_, err := two.checks.NobodyBypasses(
				t.Context(),
				control.Move{},
				two.table.Topics.Get([]byte("orders")).All(),
			)
			require.NoError(t, err)

			two.tells(routing.Source, ahead)
			two.checks.LookForBypassing(t.Context())
			two.brokers[routing.Source].answer(remoting.CodeMaxOffset,
				wire.Reply{Fields: []string{"offset", strconv.Itoa(8)}})
			two.checks.LookForBypassing(t.Context())
			all, why = two.checks.Bypassing.List()
			assert.Empty(t, why)
			require.Len(t, all, 1, "the message was stored just now")
			assert.Equal(t, past.String(), all[0].Address)
		})
	}
}

// What was sent before the gateway began, through connections that nobody knows any more, is
// nobody's who writes past it.
func TestMessagesOfBeforeTheGatewayBeganAreNotJudged(t *testing.T) {
	two := newTwoSides(t)
	two.checks.Bypassing.Life, two.serving = time.Minute, time.Now()
	two.tells(routing.Source, 3*time.Minute)
	past := netip.MustParseAddrPort("10.0.0.7:4711")
	before := remotingtest.Stored(
		remoting.Message{
			Topic:          "orders",
			QueueOffset:    7,
			BornHost:       past,
			StoreTimestamp: time.Now().Add(3*time.Minute - 10*time.Second).UnixMilli(),
			StoreHost:      past,
		},
	)
	two.brokers[routing.Source].answer(remoting.CodePull,
		wire.Reply{Fields: []string{"nextBeginOffset", "8", "minOffset", "0", "maxOffset", "8"}, Body: before})
	for _, end := range []int{7, 8} {
		two.brokers[routing.Source].answer(remoting.CodeMaxOffset,
			wire.Reply{Fields: []string{"offset", strconv.Itoa(end)}})
		two.checks.LookForBypassing(t.Context())
	}
	all, why := two.checks.Bypassing.List()
	assert.Empty(t, why)
	assert.Empty(t, all)
}

// That something isn't known stands until all queues have had their turn again.
func TestThatPassersAreUnknownStandsUntilAllQueuesHadTheirTurn(t *testing.T) {
	p := checks.BypassingProducers{Life: time.Minute}
	p.Unknown(assert.AnError, time.Hour)
	p.Unknown(nil, time.Hour)
	_, why := p.List()
	assert.NotEmpty(t, why)
	p.Unknown(nil, 0)
	_, why = p.List()
	assert.Empty(t, why)
}
