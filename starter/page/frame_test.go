package page

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinesGoOnAndTablesAreCut(t *testing.T) {
	require.Equal(t, []string{
		"Waiting    for an approval of",
		"           the step",
		" stage   state   a long detai…",
		"           and evidence",
	}, rows("Waiting    for an approval of the step\n"+
		" stage   state   a long detail of it\n"+
		"           and evidence\n", 30))
}

func TestALowWindowShowsTheStateAndWhatIsAsked(t *testing.T) {
	lines := Frame("Migration  orders\nDoing      much\nthird\nfourth", "Waiting  a\nNext  b\n", 80, 5)
	require.Equal(t, []string{
		"Migration  orders", "Doing      much",
		"... 2 more lines: a taller window or rocketshift status shows them",
		"Waiting  a", "Next  b",
	}, lines)
}
