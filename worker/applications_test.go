package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"rocketshift/demo/ledger"
	outcome "rocketshift/demo/verdict"
)

const (
	// programStart is how long a program may take to be at work; an orderly client takes up to a
	// minute for locks that a member before left behind.
	programStart = 2 * time.Minute
	// programStop is longer than an application's own patience for its unfinished work.
	programStop = 90 * time.Second
	// sendRate is that of each topic, a second: enough that each queue gets a message while
	// anything of a move happens, and few enough for dozens of cells at a time.
	sendRate = 8
)

// program is a process with a line that says that it is at work.
type program struct {
	cmd   *exec.Cmd
	ready chan string   // that line
	ended chan struct{} // closed when it has ended
	how   error         // how it ended; valid after ended
}

// spawnProgram starts one; what it prints goes to out.
func spawnProgram(out io.Writer, begins string, env []string, args ...string) (*program, error) {
	p := &program{
		cmd: exec.Command(args[0], args[1:]...), ready: make(chan string, 1),
		ended: make(chan struct{}),
	}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			fmt.Fprintln(out, lines.Text())
			if strings.HasPrefix(lines.Text(), begins) {
				select {
				case p.ready <- lines.Text():
				default:
				}
			}
		}
		p.how = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// awaitReady returns the line that says that it is at work.
func (p *program) awaitReady(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, programStart)
	defer cancel()
	select {
	case line := <-p.ready:
		return line, nil
	case <-p.ended:
		return "", fmt.Errorf("%s ended before it was ready: %w", p.cmd.Path, p.how)
	case <-ctx.Done():
		return "", fmt.Errorf("%s: %w", strings.Join(p.cmd.Args, " "), ctx.Err())
	}
}

// stop ends it in good order.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.how
	case <-time.After(programStop):
		p.kill()
		return fmt.Errorf("%s didn't end in %s", strings.Join(p.cmd.Args, " "), programStop)
	}
}

// kill ends it at once.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// application is a producer or a member of a group, on the stock 4.x client, with a ledger.
type application struct {
	name, ledger string
	topic        string // that it writes to; "" of members
	args         []string
	servers      []string // it was last started with
	running      *program
	starts       int
}

// applications are those of one cell, and the pipeline that restarts them.
type applications struct {
	program   string
	dir       string
	log       io.Writer
	mu        sync.Mutex
	producers map[string]*application // by their names
	members   map[string]*application // by group
	ordered   string                  // the topic whose order counts
}

// newApplications are two groups, and producers: one of the ordered topic, two of the other one.
func newApplications(bin, dir string, log io.Writer, c *cell) *applications {
	a := &applications{
		program: bin, dir: dir, log: log, ordered: c.orders(),
		producers: map[string]*application{}, members: map[string]*application{},
	}
	a.produces(c.orders(), 1, "-ordered", "-queues", fmt.Sprint(queuesOfTopic))
	a.produces(c.notes(), 2)
	for group, args := range map[string][]string{
		c.orderly(): {"-topics", c.orders(), "-orderly"}, c.free(): {"-topics", c.notes()},
	} {
		a.members[group] = a.named("group-"+group, append([]string{"consume", "-group", group}, args...))
	}
	return a
}

// produces adds so many producers of a topic, which share its rate.
func (a *applications) produces(topic string, count int, more ...string) {
	for n := range count {
		name := fmt.Sprintf("%s-%d", topic, n)
		one := a.named("producer-"+name, append([]string{
			"produce", "-topic", topic, "-producer", name, "-rate", fmt.Sprint(float64(sendRate) / float64(count)),
		}, more...))
		one.topic = topic
		a.producers[name] = one
	}
}

func (a *applications) named(name string, args []string) *application {
	return &application{name: name, args: args, ledger: filepath.Join(a.dir, name+".ledger")}
}

// deploy brings applications to name servers. Members that run elsewhere are stopped in good order,
// all before any is started; producers of a topic are restarted one after another.
func (a *applications) deploy(ctx context.Context, groups, topics, servers []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var members []*application
	for _, g := range groups {
		if one := a.members[g]; one != nil && !one.at(servers) {
			members = append(members, one)
		}
	}
	if err := together(members, stopApplication); err != nil {
		return err
	}
	start := func(one *application) error { return a.start(ctx, one, servers) }
	if err := together(members, start); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(a.producers)) {
		one := a.producers[name]
		if !slices.Contains(topics, one.topic) || one.at(servers) {
			continue
		}
		if err := errors.Join(stopApplication(one), start(one)); err != nil {
			return err
		}
	}
	return nil
}

func (one *application) at(servers []string) bool {
	return one.running != nil && slices.Equal(one.servers, servers)
}

func (a *applications) start(ctx context.Context, one *application, servers []string) (err error) {
	one.starts++
	args := append([]string{a.program}, one.args...)
	args = append(args, "-name-servers", strings.Join(servers, ","), "-ledger", one.ledger,
		"-instance", fmt.Sprintf("%s-%d", one.name, one.starts))
	if one.running, err = spawnProgram(a.log, "ready", nil, args...); err != nil {
		return err
	}
	one.servers = servers
	_, err = one.running.awaitReady(ctx)
	return err
}

func stopApplication(one *application) error {
	if one.running == nil {
		return nil
	}
	running := one.running
	one.running = nil
	return running.stop()
}

func together(some []*application, do func(*application) error) error {
	errs := make([]error, len(some))
	var all sync.WaitGroup
	for i, one := range some {
		all.Go(func() { errs[i] = do(one) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// stop ends producers or members in good order.
func (a *applications) stop(which map[string]*application) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var some []*application
	for _, one := range which {
		some = append(some, one)
	}
	return together(some, stopApplication)
}

// kill ends all at once.
func (a *applications) kill() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, which := range []map[string]*application{a.producers, a.members} {
		for _, one := range which {
			if one.running != nil {
				one.running.kill()
				one.running = nil
			}
		}
	}
}

// judge says what became of every message.
func (a *applications) judge() (outcome.Verdict, outcome.Detail, error) {
	in := outcome.Input{Sent: map[string][]ledger.Sent{}}
	for name, one := range a.producers {
		records, err := ledger.ReadSent(one.ledger)
		if err != nil {
			return outcome.Verdict{}, outcome.Detail{}, err
		}
		in.Sent[name] = records
	}
	for group, one := range a.members {
		records, err := ledger.ReadReceived(one.ledger)
		if err != nil {
			return outcome.Verdict{}, outcome.Detail{}, err
		}
		topics := []string{one.args[slices.Index(one.args, "-topics")+1]}
		in.Groups = append(in.Groups, outcome.Group{
			Name: group, Topics: topics, Received: records,
			Orderly: slices.Contains(one.args, "-orderly"), Ordered: []string{a.ordered},
		})
	}
	return outcome.Judge(in)
}
