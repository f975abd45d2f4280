package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// measured is one line of the result of sends and reads.
type measured struct {
	Way       string  `json:"way"`
	Round     int     `json:"round"`
	Messages  int     `json:"messages"`
	PerSecond float64 `json:"perSecond"`
	P50Ms     float64 `json:"p50Ms,omitempty"` // of sends
	P99Ms     float64 `json:"p99Ms,omitempty"`
	Errors    int     `json:"errors"`
	// CPU of what stands between client and broker, of the broker, and of the client, in seconds
	// per million messages.
	HopCPU    float64 `json:"hopCpuSecondsPerMillion"`
	BrokerCPU float64 `json:"brokerCpuSecondsPerMillion"`
	ClientCPU float64 `json:"clientCpuSecondsPerMillion"`
	// IdlePercent is how much of the processors nobody needed meanwhile.
	IdlePercent float64 `json:"idlePercent"`
}

// measureWays measures each way in turns.
func (c *course) measureWays(ctx context.Context, result *json.Encoder) error {
	if c.load == reads {
		if err := c.fill(ctx); err != nil {
			return err
		}
	}
	for round := 1; round <= c.rounds; round++ {
		for _, way := range c.ways {
			m, err := c.run(ctx, way, round)
			if err != nil {
				return fmt.Errorf("%s: %w", way, err)
			}
			if err := result.Encode(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillBatch is from where on larger batches cost a broker no less.
const fillBatch = 300

// fill writes the history to read.
func (c *course) fill(ctx context.Context) error {
	return c.each(ctx, func(client *rocketmq.Client, addr string) error {
		one := rocketmq.BatchMessage{
			Body:       bytes.Repeat([]byte{'x'}, c.body),
			Properties: remoting.EncodeProperties([]remoting.Property{{Name: remoting.PropTags, Value: "bench"}}),
		}
		for at, turn := 0, 0; at < c.history; turn++ {
			r := rocketmq.BatchRequest{
				Group:         "bench-fill",
				Topic:         topic,
				Queue:         turn % queues,
				BornTimestamp: time.Now().UnixMilli(),
			}
			for range min(fillBatch, c.history-at) {
				r.Messages = append(r.Messages, one)
			}
			at += len(r.Messages)
			if err := remoting.Retry(ctx, func() error { _, err := client.SendBatch(ctx, addr, r); return err }); err != nil {
				return fmt.Errorf("fill: %w", err)
			}
		}
		return nil
	})
}

// verifying is the way through the gateway that verifies signatures.
const verifying = "verifying"

// way is the name server to give to a client.
func (c *course) way(name string) (string, error) {
	switch name {
	case "direct":
		return c.source.NameServers[0], nil
	case "gateway":
		return c.gateway.names, nil
	case verifying:
		if c.verifier != nil {
			return c.verifier.names, nil
		}
	case "proxy":
		if c.source.ProxyRemoting != "" {
			return c.source.ProxyRemoting, nil
		}
	}
	return "", fmt.Errorf("there is no way %q to a broker of %s", name, c.version)
}

// java is a program of this folder, with the newest client.
func (c *course) java(ctx context.Context, program string, args ...any) *exec.Cmd {
	return c.javaOf(ctx, "5.3.3", program, args...)
}

// javaOf is java with a client of that version.
func (c *course) javaOf(ctx context.Context, version, program string, args ...any) *exec.Cmd {
	all := []string{
		"-Xmx512m", "-Duser.home=" + c.dir, "-cp", filepath.Join(c.files.Jars, version, "*"),
		filepath.Join(c.root, "bench", "gateway", program+".java"),
	}
	if !c.compiled() {
		all = slices.Insert(all, 0, "-XX:TieredStopAtLevel=1")
	}
	for _, a := range args {
		all = append(all, fmt.Sprint(a))
	}
	cmd := exec.CommandContext(ctx, c.files.Java, all...)
	cmd.Stderr = c.talk
	return cmd
}

func (c *course) run(ctx context.Context, way string, round int) (m measured, err error) {
	at, err := c.way(way)
	if err != nil {
		return m, err
	}
	client := c.java(ctx, "Load", at, topic, c.threads, c.warm, c.measure, c.body, c.rate, c.batch,
		c.accessKey(), secret)
	if c.load == reads {
		group := "bench-gateway-readers-" + way + "-" + strconv.Itoa(round)
		if err := c.makeGroup(ctx, group); err != nil {
			return m, err
		}
		client = c.java(ctx, "Read", at, topic, group, c.history, c.threads, c.work.Microseconds())
	}
	lines, err := client.StdoutPipe()
	if err != nil {
		return m, err
	}
	if err := client.Start(); err != nil {
		return m, err
	}
	in := bufio.NewScanner(lines)
	if !in.Scan() {
		return m, errors.Join(errors.New("the client ended before it was warm"), client.Wait())
	}
	before, err := c.used(client.Process.Pid)
	if err != nil {
		return m, err
	}
	for in.Scan() {
		err = json.Unmarshal(in.Bytes(), &m)
	}
	after, errAfter := c.used(0)
	usage := client.Wait()
	if err := errors.Join(err, errAfter, usage); err != nil {
		return m, err
	}
	after.client = client.ProcessState.UserTime() + client.ProcessState.SystemTime()
	m.Way, m.Round = way, round
	m.costs(before, after)
	return m, nil
}

// costs notes what the processors did for the messages.
func (m *measured) costs(before, after used) {
	perMillion := func(d time.Duration) float64 { return rounded(d.Seconds() / float64(m.Messages) * 1e6) }
	m.BrokerCPU, m.ClientCPU = perMillion(after.broker-before.broker), perMillion(after.client-before.client)
	switch m.Way {
	case "gateway", verifying:
		m.HopCPU = perMillion(after.gateway - before.gateway)
	case "proxy":
		m.HopCPU = perMillion(after.proxy - before.proxy)
	}
	if all := after.all - before.all; all > 0 {
		m.IdlePercent = rounded(100 * float64(after.idle-before.idle) / float64(all))
	}
}

// rounded is a number with two digits behind the point.
func rounded(n float64) float64 { return float64(int(n*100+0.5)) / 100 }

// used is the processor time of all, until now.
type used struct {
	broker, proxy, gateway, client time.Duration
	all, idle                      time.Duration // of the machine
}

func (c *course) used(client int) (u used, err error) {
	all, err := c.source.CPU()
	if err != nil {
		return u, err
	}
	if c.source.ProxyRemoting != "" {
		if u.proxy, err = c.source.ProxyCPU(); err != nil {
			return u, err
		}
	}
	u.broker = all - u.proxy
	if u.all, u.idle, err = machine(); err != nil {
		return u, err
	}
	for _, one := range []*hop{c.gateway, c.verifier} { // one of them rests
		if one == nil {
			continue
		}
		used, err := lab.ProcessCPU(one.Process.Pid)
		if err != nil {
			return u, err
		}
		u.gateway += used
	}
	if client == 0 {
		return u, nil
	}
	u.client, err = lab.ProcessCPU(client)
	return u, err
}
