package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
)

// asProgram makes the test binary be the program, for tests that need a process of its own.
const asProgram = "ROCKETSHIFT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	labtest.MainWithProxies(m)
}

// program is a command line in a process of its own.
func program(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// fullPipe is a pipe in which the next write waits forever.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	raw, err := w.SyscallConn()
	require.NoError(t, err)
	var full error
	require.NoError(t, raw.Write(func(fd uintptr) bool { // this end doesn't block yet
		for full == nil {
			_, full = syscall.Write(int(fd), make([]byte, 1))
		}
		return true
	}))
	require.ErrorIs(t, full, syscall.EAGAIN)
	return w
}

func TestASecondCtrlCEndsTheProgramAtOnceEvenIfTheFirstIsStuck(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	c := program(shortContext(t, guard), "copy", "--source", silent.Addr().String(), "--target", "127.0.0.1:1",
		"--topic", "t")
	c.Stderr = fullPipe(t)
	require.NoError(t, c.Start())
	asked, err := silent.Accept()
	require.NoError(t, err)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, asked) // it hangs up, and is stuck saying so

	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(3 * time.Minute)
	for {
		select {
		case <-ended:
			status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
			assert.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGINT, "it ended by %v",
				c.ProcessState)
			return
		case <-again.C:
			_ = c.Process.Signal(os.Interrupt)
		case <-deadline:
			_ = c.Process.Kill()
			t.Fatal("it didn't end by a second signal")
		}
	}
}
