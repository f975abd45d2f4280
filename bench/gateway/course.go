package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"rocketshift/internal/gateway"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
)

// course is a broker with a proxy and a gateway before it.
type course struct {
	options
	files   lab.Files
	dir     string
	root    string
	cluster *lab.Cluster
	gateway *exec.Cmd
	names   string // the gateway's name server
}

const topic = "load"

func startCourse(ctx context.Context, o options) (c *course, end func() error, err error) {
	root, err := lab.Root()
	if err != nil {
		return nil, nil, err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(filepath.Join(root, ".run"), "bench-gateway-")
	if err != nil {
		return nil, nil, err
	}
	cluster, err := lab.Start(ctx, files, filepath.Join(dir, "cluster"), lab.ClusterSpec{Name: "Load", Version: o.version, Brokers: 1, Proxy: o.version[0] == '5'})
	if err != nil {
		return nil, nil, err
	}
	c = &course{options: o, files: files, dir: dir, root: root, cluster: cluster}
	end = func() error {
		if c.gateway != nil {
			_ = c.gateway.Process.Kill()
			_ = c.gateway.Wait()
		}
		return errors.Join(cluster.Kill(), os.RemoveAll(dir))
	}
	if err := errors.Join(c.makeTopic(ctx), c.startGateway(ctx)); err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return c, end, nil
}

func (c *course) makeTopic(ctx context.Context) error {
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	brokers, err := rocketmq.NewCluster(client, c.cluster.NameServers).Brokers(ctx)
	if err != nil {
		return err
	}
	return client.CreateTopic(ctx, brokers[0].Addr, rocketmq.TopicConfig{Name: topic, ReadQueues: 8, WriteQueues: 8, Perm: 6})
}

// gatewayCommand is the first argument of this program when it is to be the gateway.
const gatewayCommand = "gateway"

func serve(ctx context.Context, args []string, out io.Writer) error {
	g, err := gateway.Start(gateway.Config{Name: "bench", Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: args[0], NameServers: args[1:]})
	if err != nil {
		return err
	}
	defer g.Close()
	fmt.Fprintln(out, g.NameServer())
	<-ctx.Done()
	return nil
}

func (c *course) startGateway(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c.gateway = exec.CommandContext(ctx, self, append([]string{gatewayCommand, filepath.Join(c.dir, "gateway")}, c.cluster.NameServers...)...)
	c.gateway.Stderr = os.Stderr
	lines, err := c.gateway.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.gateway.Start(); err != nil {
		return err
	}
	if _, err := fmt.Fscanln(lines, &c.names); err != nil {
		return fmt.Errorf("the gateway didn't start: %w", err)
	}
	return nil
}

// way is the name server to give to a producer.
func (c *course) way(name string) (string, error) {
	switch name {
	case "direct":
		return c.cluster.NameServers[0], nil
	case "gateway":
		return c.names, nil
	case "proxy":
		if c.cluster.ProxyRemoting != "" {
			return c.cluster.ProxyRemoting, nil
		}
	}
	return "", fmt.Errorf("there is no way %q to a broker of %s", name, c.version)
}

func (c *course) run(ctx context.Context, way string, round int) (m measured, err error) {
	names, err := c.way(way)
	if err != nil {
		return m, err
	}
	args := []string{"-Xmx512m", "-Duser.home=" + c.dir, "-cp", filepath.Join(c.files.Jars, "5.3.3", "*"), source(c.root), names, topic}
	for _, n := range []int{c.threads, c.warm, c.measure, c.body, c.rate} {
		args = append(args, strconv.Itoa(n))
	}
	load := exec.CommandContext(ctx, c.files.Java, args...)
	load.Stderr = os.Stderr
	lines, err := load.StdoutPipe()
	if err != nil {
		return m, err
	}
	if err := load.Start(); err != nil {
		return m, err
	}
	in := bufio.NewScanner(lines)
	if !in.Scan() {
		return m, errors.Join(errors.New("the producer ended before it was warm"), load.Wait())
	}
	before, err := c.used(load.Process.Pid)
	if err != nil {
		return m, err
	}
	for in.Scan() {
		err = json.Unmarshal(in.Bytes(), &m)
	}
	after, errAfter := c.used(0)
	usage := load.Wait()
	if err := errors.Join(err, errAfter, usage); err != nil {
		return m, err
	}
	m.Way, m.Round = way, round
	perMillion := func(d time.Duration) float64 { return float64(int(d.Seconds()/float64(m.Messages)*1e8)) / 100 }
	client := load.ProcessState.UserTime() + load.ProcessState.SystemTime() - before.client
	m.BrokerCPU, m.ClientCPU = perMillion(after.broker-before.broker), perMillion(client)
	switch way {
	case "gateway":
		m.HopCPU = perMillion(after.gateway - before.gateway)
	case "proxy":
		m.HopCPU = perMillion(after.proxy - before.proxy)
	}
	return m, nil
}

// used is the processor time of all, until now.
type used struct{ broker, proxy, gateway, client time.Duration }

func (c *course) used(client int) (u used, err error) {
	all, err := c.cluster.CPU()
	if err != nil {
		return u, err
	}
	if c.cluster.ProxyRemoting != "" {
		if u.proxy, err = c.cluster.ProxyCPU(); err != nil {
			return u, err
		}
	}
	u.broker = all - u.proxy
	if u.gateway, err = lab.ProcessCPU(c.gateway.Process.Pid); err != nil || client == 0 {
		return u, err
	}
	u.client, err = lab.ProcessCPU(client)
	return u, err
}
