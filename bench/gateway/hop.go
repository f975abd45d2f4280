package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"syscall"

	"rocketshift/internal/gateway"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/memory"
)

// gatewayCommand is the first argument of this program when it is to be the gateway. Then come its
// folder, the file for a profile or nothing, its memory in MiB, and the source's name servers.
const gatewayCommand = "gateway"

// token is that of the control API, which nobody else reaches.
const token = "only-for-this-benchmark"

func serve(ctx context.Context, args []string, out io.Writer) (err error) {
	if args[1] != "" {
		file, err := os.Create(args[1])
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bytes, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	bytes = cmp.Or(bytes<<20, memory.UsualMemory)
	memory.Frugal()
	memory.LimitMemory(bytes, os.Getenv)
	before, err := gateway.Succeed(args[0])
	if err != nil {
		return err
	}
	g, err := gateway.Start(
		gateway.Config{
			Predecessor: before,
			Name:        "bench",
			Listen:      "127.0.0.1",
			Advertise:   "127.0.0.1",
			Dir:         args[0],
			Memory:      bytes,
			NameServers: args[3:],
			Keys:        os.Getenv(keysFile),
			Log:         log,

			KeepConnections: true,
		},
	)
	if err != nil {
		return err
	}
	defer g.Close()
	control, err := controlserver.New(g, token)
	if err != nil {
		return err
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, g.NameServer(), at.Addr())
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() {
		<-g.Succeeded()
		end()
	}()
	return control.Serve(ctx, at)
}

// hop is the gateway, as a process of its own.
type hop struct {
	*exec.Cmd
	names   string // its name server
	control *control.Client
}

// Of the clients that sign.
const (
	accessKey = "bench-client"
	secret    = "bench-client-secret"
)

// accessKey is what clients sign with; empty if they don't.
func (c *course) accessKey() string {
	if c.keys {
		return accessKey
	}
	return ""
}

// keysFile is where the environment of a gateway of this program names its file of keys.
const keysFile = "ROCKETSHIFT_BENCH_KEYS"

// startGateways starts one, and with -keys another one that verifies signatures.
func (c *course) startGateways(ctx context.Context) (err error) {
	if c.gateway, err = c.startGateway(ctx, "gateway"); err != nil || !c.keys {
		return err
	}
	file := filepath.Join(c.dir, "keys.yaml")
	text := fmt.Sprintf("applications: [{accessKey: %s, secretKey: %s}]\n", accessKey, secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	c.verifier, err = c.startGateway(ctx, verifying, keysFile+"="+file)
	return err
}

func (c *course) startGateway(ctx context.Context, name string, environment ...string) (*hop, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	profile := c.profile
	if profile != "" {
		if profile, err = filepath.Abs(profile); err != nil {
			return nil, err
		}
	}
	h := &hop{
		Cmd: exec.CommandContext(
			ctx,
			self,
			append(
				[]string{gatewayCommand, filepath.Join(c.dir, name), profile, strconv.Itoa(c.memory)},
				c.source.NameServers...)...),
	}
	h.Stderr, h.Env = c.talk, append(os.Environ(), environment...)
	lines, err := h.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.Start(); err != nil {
		return nil, err
	}
	var controls string
	if _, err := fmt.Fscanln(lines, &h.names, &controls); err != nil {
		return h, fmt.Errorf("the gateway didn't start: %w", err)
	}
	h.control = control.NewClient(controls, control.Access{Token: token})
	return h, nil
}

// end ends the gateway in good order: its profile is written then.
func (h *hop) end() error {
	if h == nil {
		return nil
	}
	return errors.Join(h.Process.Signal(syscall.SIGTERM), h.Wait())
}
