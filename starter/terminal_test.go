package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal is the program's end of a pseudo terminal.
func terminal(t *testing.T, width, height uint16) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %s", err)
	}
	t.Cleanup(func() { master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { slave.Close() })
	require.NoError(t, unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}))
	return slave
}

func TestATerminalIsFoundAndNoColorIsHonoured(t *testing.T) {
	screen := terminal(t, 100, 30)
	for name, c := range map[string]struct {
		env            map[string]string
		redrawn, paint bool
	}{
		"plain":    {nil, true, true},
		"NO_COLOR": {map[string]string{"NO_COLOR": "1"}, true, false},
		"dumb":     {map[string]string{"TERM": "dumb"}, false, false},
	} {
		a := newApp(nil, screen, nil, func(k string) (string, bool) { v, ok := c.env[k]; return v, ok })
		width, ok := a.screen()
		assert.Equal(t, c.redrawn, ok, name)
		assert.Equal(t, c.paint, a.colour(), name)
		if ok {
			assert.Equal(t, 100, width, name)
			assert.Equal(t, 29, a.height(), name)
		}
	}
}
