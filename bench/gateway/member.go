package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// memberCommand is the first argument of this program when it is to be a flow of client-go. Then
// come Flow.java's arguments.
const memberCommand = "member"

// member is Flow.java with client-go.
type member struct {
	producer stock.Producer
	topics   []string
	period   time.Duration // of each thread
	numbers  atomic.Int64

	mu  sync.Mutex
	out *bufio.Writer
}

// tagShift is where the gateway's tag begins in the offset of a message of the target.
const tagShift = 56

// flowOfGo runs until the input ends.
func flowOfGo(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 6 {
		return errors.New("name servers, topics, group, threads, rate and first number are wanted")
	}
	var numbers [3]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(args[3+i], 10, 64); err != nil {
			return err
		}
	}
	threads, rate := numbers[0], numbers[1]
	rlog.SetLogLevel("fatal")
	m := &member{
		topics: strings.Split(args[1], ","), out: bufio.NewWriter(out),
		period: time.Duration(threads) * time.Second / time.Duration(rate),
	}
	m.numbers.Store(numbers[2])
	names := primitive.NewPassthroughResolver(strings.Split(args[0], ";"))
	instance := fmt.Sprint(os.Getpid())
	c, err := stock.NewPushConsumer(consumer.WithNsResolver(names), consumer.WithGroupName(args[2]),
		consumer.WithInstance(instance), consumer.WithConsumeFromWhere(consumer.ConsumeFromLastOffset))
	if err != nil {
		return err
	}
	for _, name := range m.topics {
		if err := c.Subscribe(name, consumer.MessageSelector{}, m.reads); err != nil {
			return err
		}
	}
	if err := c.Start(); err != nil {
		return err
	}
	m.producer, err = stock.NewProducer(producer.WithNsResolver(names), producer.WithGroupName("flow-producers"),
		producer.WithInstanceName(instance+"-producer"))
	if err != nil {
		return err
	}
	if err := m.producer.Start(); err != nil {
		return err
	}
	begin := time.Now()
	for t := range threads { // one after the other, not all at once
		go m.sends(begin.Add(m.period * time.Duration(t) / time.Duration(threads)))
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

func (m *member) reads(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	now := time.Now().UnixMicro()
	for _, one := range messages {
		number, _, _ := strings.Cut(string(one.Body), " ")
		m.say("r %d %d %s %d %s", now, min(one.CommitLogOffset>>tagShift, 1), one.Topic, one.Queue.QueueId, number)
	}
	return consumer.ConsumeSuccess, nil
}

func (m *member) sends(next time.Time) {
	const body = 1000
	for {
		next = next.Add(m.period)
		time.Sleep(time.Until(next))
		number := m.numbers.Add(1)
		text := fmt.Sprintf("%-*d", body, number)
		begin, what := time.Now(), "s"
		name := m.topics[number%int64(len(m.topics))]
		if _, err := m.producer.SendSync(context.Background(), primitive.NewMessage(name, []byte(text))); err != nil {
			what = "e"
			fmt.Fprintln(os.Stderr, err)
		}
		m.say("%s %d %d %d", what, begin.UnixMicro(), time.Since(begin).Microseconds(), number)
	}
}

// say writes a line, at once.
func (m *member) say(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintf(m.out, format+"\n", args...)
	_ = m.out.Flush()
}
