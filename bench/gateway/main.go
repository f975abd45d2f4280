// Command gateway measures what a gateway costs applications.
//
//	sends: straight to a broker, through the gateway, and through RocketMQ's 5.x proxy
//	  go run ./bench/gateway -rounds 2 -threads 16
//	a push consumer that reads a history
//	  go run ./bench/gateway -load reads -way direct,gateway
//	what connections alone cost
//	  go run ./bench/gateway -load clients -clients 1000
//	how long groups read nothing when the gateway is killed, or another process takes over
//	  go run ./bench/gateway -load restarts
//	what it costs to verify signatures
//	  go run ./bench/gateway -keys -way gateway,verifying
//	what clients notice of 10,000 hostile connections, and the gateway's memory
//	  go run ./bench/gateway -load hostile -memory 512
//	how long producers wait while homes move, and groups while their sides do
//	  go run ./bench/gateway -load moves
//
// It prints a line of JSON for each measurement. The gateway is a process of its own, whose
// processor time is read before and after. Clients are stock Java ones, but for the connections.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/memory"
)

// Loads that can be measured.
const (
	sends   = "sends"
	reads   = "reads"
	clients = "clients"
	moves   = "moves"
	hostile = "hostile"

	restarts = "restarts"
)

// options are what is measured.
type options struct {
	load          string
	ways          []string
	rounds        int
	threads, body int
	warm, measure int // seconds
	rate          int // messages a second; 0 is as fast as it goes
	batch         int // messages in a send
	flush         bool
	version       string

	history int           // messages to read
	work    time.Duration // of a consumer for each message

	clients int

	memory   int // of the gateway, in MiB
	restarts int
	groups   []string // who their members are, see kindsOf
	kills    []string // what is restarted, and how

	keys bool // clients sign, and a second gateway verifies that

	yields bool // whoever brings hostile connections gets the processors last, as if they came from other machines

	enemy  int           // hostile connections
	pace   int           // of these, so many are opened in a second
	frames bool          // none of them asks brokers for messages
	full   time.Duration // for how long they come as fast as they can afterwards

	moves  int // there and back
	topics int // of 100 queues each, which move after that
	chunk  int // queues that move together

	profile string // where the gateway writes its profile of processor time
	keep    string // where servers keep their files, or nothing
}

func main() {
	if keeper.Asked(os.Args) {
		os.Exit(keeper.Main(os.Args))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if is, err := playPart(ctx, os.Args[1:]); is {
		if err != nil {
			fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/gateway:", err)
		os.Exit(1)
	}
}

// playPart is this program as one of those that it starts itself, and reports whether the arguments
// are of one.
func playPart(ctx context.Context, args []string) (is bool, err error) {
	switch {
	case len(args) > 0 && args[0] == gatewayCommand:
		return true, serve(ctx, args[1:], os.Stdout)
	case len(args) > 0 && args[0] == memberCommand:
		return true, flowOfGo(args[1:], os.Stdin, os.Stdout)
	}
	return false, nil
}

func parse(args []string, out io.Writer) (options, error) {
	f := flag.NewFlagSet("bench/gateway", flag.ContinueOnError)
	f.SetOutput(out)
	o := options{yields: true}
	f.StringVar(&o.load, "load", sends, "what to measure: sends, reads, clients, hostile, moves or restarts")
	ways := f.String("way", "direct,gateway,proxy", "ways to the broker, separated by commas; sends and reads")
	f.IntVar(&o.rounds, "rounds", 2, "how often each way is measured, in turns")
	f.IntVar(&o.threads, "threads", 16, "threads that send, or work on messages")
	f.IntVar(&o.body, "body", 1024, "bytes of a message")
	f.IntVar(&o.warm, "warm", 10, "seconds before measuring")
	f.IntVar(&o.measure, "measure", 15, "seconds to measure")
	f.IntVar(&o.rate, "rate", 0, "messages a second; 0 is as fast as it goes, and 1000 for moves")
	f.IntVar(&o.batch, "batch", 1, "messages in a send")
	f.BoolVar(&o.flush, "flush", false,
		"the broker answers when a message is on disk, so that the disk is the limit, not the processors")
	f.StringVar(&o.version, "version", "5.3.3", "of the broker; the proxy is there from 5.0 on")
	f.IntVar(&o.history, "history", 400_000, "messages that are there to read")
	f.DurationVar(&o.work, "work", 0, "of a consumer for each message")
	f.IntVar(&o.clients, "clients", 1000, "clients that are connected")
	f.IntVar(&o.memory, "memory", memory.UsualMemory>>20, "MiB that the gateway may take")
	f.IntVar(&o.restarts, "restarts", 20, "how often the gateway is restarted in each way")
	groups := f.String("members", "java",
		"groups that read while it is restarted, separated by commas: java, java-4.9.7, go or mixed")
	kills := f.String("restart", "killed,takeover",
		"what is restarted: killed or takeover, of the gateway, or broker, which clients are straight connected to")
	f.BoolVar(&o.keys, "keys", false,
		"clients sign; the way \"verifying\" is a gateway that has their keys, and verifies each signature")
	f.IntVar(&o.enemy, "hostile", 10_000, "hostile connections")
	f.BoolVar(&o.frames, "frames", false, "hostile connections send frames alone: none asks brokers for messages")
	f.IntVar(&o.pace, "pace", 150, "of these, so many are opened in a second")
	f.DurationVar(&o.full, "full", 15*time.Second, "how long they come as fast as they can, afterwards")
	f.IntVar(&o.moves, "moves", 30, "how often homes, and sides, go there and back")
	f.IntVar(&o.topics, "topics", 10, "topics of 100 queues that move as well")
	f.IntVar(&o.chunk, "chunk", 8, "queues of them that move together")
	f.StringVar(&o.profile, "profile", "", "file for the gateway's profile of processor time")
	f.StringVar(&o.keep, "keep", "",
		"folder for the servers' files, such as one in memory (/dev/shm), so that the disk's writing holds "+
			"nobody up; .run if empty")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.ways, o.groups, o.kills = strings.Split(*ways, ","), strings.Split(*groups, ","), strings.Split(*kills, ",")
	return o, o.check()
}

func (o options) check() error {
	if all := []string{sends, reads, clients, hostile, moves, restarts}; !slices.Contains(all, o.load) {
		return fmt.Errorf("load is %q: one of %s is possible", o.load, strings.Join(all, ", "))
	}
	for name, n := range map[string]int{
		"rounds": o.rounds, "threads": o.threads, "body": o.body, "measure": o.measure, "batch": o.batch,
		"history": o.history, "clients": o.clients, "chunk": o.chunk, "memory": o.memory, "hostile": o.enemy,
		"pace": o.pace,
	} {
		if n < 1 {
			return fmt.Errorf("%s must be at least 1", name)
		}
	}
	for _, group := range o.groups {
		if kindsOf[group] == nil {
			return fmt.Errorf("members are %q: java, java-4.9.7, go or mixed are possible", group)
		}
	}
	for _, way := range o.kills {
		if !slices.Contains([]string{killed, takeover, brokerKilled}, way) {
			return fmt.Errorf("restart is %q: %s, %s or %s is possible", way, killed, takeover, brokerKilled)
		}
	}
	if o.warm < 0 || o.rate < 0 || o.work < 0 || o.moves < 0 || o.topics < 0 {
		return errors.New("warm, rate, work, moves and topics must be at least 0")
	}
	return nil
}

func run(ctx context.Context, o options, out io.Writer) error {
	c, end, err := startCourse(ctx, o)
	if err != nil {
		return err
	}
	result := json.NewEncoder(out)
	switch o.load {
	case clients:
		err = c.measureClients(ctx, result)
	case moves:
		err = c.measureMoves(ctx, result)
	case restarts:
		err = c.measureRestarts(ctx, result)
	case hostile:
		err = c.measureHostile(ctx, result)
	default:
		err = c.measureWays(ctx, result)
	}
	return errors.Join(err, end())
}
