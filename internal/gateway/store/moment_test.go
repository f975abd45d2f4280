package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
)

func TestAMomentIsAsOldWhateverTheWallClockSays(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	boot := write("boot", "7d5d\n")
	then := momentOf(boot, write("then", "100.25 0.0\n"))
	assert.Equal(t, Moment{"7d5d", control.Duration(100250 * time.Millisecond)}, then)
	age, known := then.Age(momentOf(boot, write("now", "160.5 3.1\n")))
	assert.True(t, known)
	assert.Equal(t, 60250*time.Millisecond, age)
	for name, now := range map[string]Moment{
		"another start of the machine": {"9999", then.Uptime + 1},
		"an uptime that went back":     {"7d5d", then.Uptime - 1},
		"a system that doesn't tell":   momentOf(filepath.Join(dir, "none"), boot),
		"what is no number":            momentOf(boot, boot),
	} {
		_, known = then.Age(now)
		assert.False(t, known, name)
	}
	_, known = Moment{}.Age(Moment{})
	assert.False(t, known)
}
