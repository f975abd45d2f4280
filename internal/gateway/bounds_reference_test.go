package gateway

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/printable"
)

// The page of bounds is written by hand, as each row says what follows. Its numbers are the code's.
func TestBoundsOfTheReferenceAreThoseOfTheCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/gateway-bounds.md")
	require.NoError(t, err)
	for row, numbers := range map[string][]string{
		"`--memory` (": {mebibytes(memory.LeastMemory), fmt.Sprint(memory.UsualMemory>>30, " GiB")},
		"| a frame; a header": {
			fmt.Sprint(wire.MaxHeader>>10, " KiB"), fmt.Sprint(wire.MaxFields), mebibytes(wire.MaxFrame)[:2],
		},
		"| an answer of a server":                 {mebibytes(wire.MaxFrame)},
		"| open calls of a connection":            {digits(mostOpen)},
		"| a heartbeat, a request for locks":      {mebibytes(mostBeat), digits(bodies.MostElements)},
		"| a heartbeat's names":                   {digits(bodies.MostMemberships)},
		"| requests that wait while":              {mebibytes(routing.MostHeld), mebibytes(routing.MostPulls)},
		"| connections |":                         {fmt.Sprint(forConnections, " %")},
		"| queues: of a topic, of all":            {digits(routing.MostOfTopic), fmt.Sprint(forQueues, " %"), digits(routing.MostQueues)},
		"| groups' views of queues":               {fmt.Sprint(forViews, " %"), digits(routing.MostViews)},
		"| lists of clients and of groups":        {mebibytes(control.MostListed), fmt.Sprint(control.MostOfClient, " groups")},
		"| producers that bypass":                 {fmt.Sprint(checks.MostPassers)},
		"| groups whose members are looked at":    {fmt.Sprint(checks.MostMixed)},
		"| clients' heartbeats on disk":           {mebibytes(mostRegistrations / 2)}, // in base64
		"| connections to the control API; to me": {fmt.Sprint(controlserver.MostCallers, "; ", controlserver.MostWatchers)},
	} {
		_, rest, found := strings.Cut("\n"+string(page), "\n"+row)
		require.True(t, found, "the page has no row %q", row)
		line, _, _ := strings.Cut(rest, "\n")
		for _, number := range numbers {
			require.Contains(t, row+line, number)
		}
	}
}

func mebibytes(n int64) string { return fmt.Sprint(n>>20, " MiB") }

func digits(n int) string { return printable.Grouped(int64(n)) }
