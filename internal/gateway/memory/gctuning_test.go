package memory

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Garbage is collected early while little is made, rarely while much is, and always while there is
// room in the memory.
func TestHowMuchGarbageMayLieAbout(t *testing.T) {
	const mb = 1 << 20
	for name, test := range map[string]struct {
		took              time.Duration
		made, used, limit int64
		want              int
	}{
		"idle":                  {time.Minute, 10 * mb, 20 * mb, 1000 * mb, leastGarbage},
		"never before":          {0, 0, 0, 1000 * mb, leastGarbage},
		"much":                  {time.Second, 30 * mb, 100 * mb, 1000 * mb, 120},
		"more than a part":      {time.Second, 300 * mb, 100 * mb, 1000 * mb, 250},
		"much memory":           {time.Second, 300 * mb, 100 * mb, 9000 * mb, 256},
		"near the limit":        {time.Second, 300 * mb, 900 * mb, 1000 * mb, leastGarbage},
		"above the limit":       {time.Second, 300 * mb, 1100 * mb, 1000 * mb, leastGarbage},
		"the clock didn't move": {0, 30 * mb, 100 * mb, 1000 * mb, 250},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			c := collections{at: begun, made: 5 * mb}
			require.InDelta(t, test.want, c.next(begun.Add(test.took), 5*mb+test.made, test.used, test.limit), 5)
			require.Equal(t, 5*mb+test.made, c.made)
		})
	}
}
