package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// goWays is client-go as Ways.java is the Java client: it sends and reads in all ways that it has.
type goWays struct {
	names, topic, prefix string
	count                int

	mu           sync.Mutex
	out          io.Writer
	plain        stock.Producer
	transactions stock.TransactionProducer
	readers      []stock.PushConsumer
}

func (g *goWays) say(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	_, _ = io.WriteString(g.out, strings.ReplaceAll(line, "\n", " ")+"\n")
}

func (g *goWays) resolver() primitive.NsResolver {
	return primitive.NewPassthroughResolver([]string{g.names})
}

func (g *goWays) message(way, word string, n int) *primitive.Message {
	body := fmt.Sprintf("%s-%s-%d", way, word, n)
	return primitive.NewMessage(g.topic, []byte(body)).WithTag("tag")
}

// run serves until its input ends.
func (g *goWays) run(in io.Reader) {
	defer g.stop()
	if err := g.start(); err != nil {
		g.say("trouble start %v", err)
		return
	}
	g.say("ready")
	for lines := bufio.NewScanner(in); lines.Scan(); {
		word := lines.Text()
		for _, way := range goSends {
			if n, err := g.send(way, word); err != nil {
				g.say("unsent %s %s %v", way, word, err)
			} else {
				g.say("sent %s %s %d", way, word, n)
			}
		}
		g.say("done %s", word)
	}
}

var (
	goSends = []string{"sync", "async", "oneway", "batch", "ordered", "delayed", "transaction"}
	goReads = []string{"concurrent", "orderly", "broadcast"}
)

func (g *goWays) start() (err error) {
	options := func(name string) []producer.Option {
		return []producer.Option{
			producer.WithGroupName(g.prefix + name), producer.WithInstanceName(g.prefix + name),
			producer.WithNsResolver(g.resolver()), producer.WithRetry(2),
			producer.WithQueueSelector(producer.NewHashQueueSelector()),
		}
	}
	if g.plain, err = stock.NewProducer(options("plain")...); err != nil {
		return err
	}
	if err = g.plain.Start(); err != nil {
		return err
	}
	g.transactions, err = stock.NewTransactionProducer(waysDecider{}, options("transactions")...)
	if err != nil {
		return err
	}
	if err = g.transactions.Start(); err != nil {
		return err
	}
	for _, way := range goReads {
		if err := g.read(way); err != nil {
			return err
		}
	}
	return nil
}

func (g *goWays) read(way string) error {
	model := consumer.Clustering
	if way == "broadcast" {
		model = consumer.BroadCasting
	}
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(g.prefix+way), consumer.WithInstance(g.prefix+way),
		consumer.WithNsResolver(g.resolver()), consumer.WithConsumerModel(model),
		consumer.WithConsumerOrder(way == "orderly"),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return err
	}
	err = c.Subscribe(g.topic, consumer.MessageSelector{},
		func(_ context.Context, all ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			for _, m := range all {
				g.say("got %s %s", way, m.Body)
			}
			return consumer.ConsumeSuccess, nil
		})
	if err != nil {
		return err
	}
	g.readers = append(g.readers, c)
	return c.Start()
}

func (g *goWays) send(way, word string) (n int, err error) {
	ctx := context.Background()
	switch way {
	case "batch":
		var all []*primitive.Message
		for n := range g.count {
			all = append(all, g.message(way, word, n))
		}
		_, err = g.plain.SendSync(ctx, all...)
		return g.count, err
	case "async":
		return g.sendAsync(ctx, word)
	}
	for n := range g.count {
		m := g.message(way, word, n)
		switch way {
		case "oneway":
			err = g.plain.SendOneWay(ctx, m)
		case "transaction":
			_, err = g.transactions.SendMessageInTransaction(ctx, m)
		case "ordered":
			_, err = g.plain.SendSync(ctx, m.WithShardingKey(fmt.Sprint(n)))
		case "delayed":
			_, err = g.plain.SendSync(ctx, m.WithDelayTimeLevel(1))
		default:
			_, err = g.plain.SendSync(ctx, m)
		}
		if err != nil {
			return n, err
		}
	}
	return g.count, nil
}

func (g *goWays) sendAsync(ctx context.Context, word string) (n int, err error) {
	var all sync.WaitGroup
	var acked atomic.Int32
	for n := range g.count {
		all.Add(1)
		err := g.plain.SendAsync(ctx, func(_ context.Context, _ *primitive.SendResult, err error) {
			defer all.Done()
			if err == nil {
				acked.Add(1)
			}
		}, g.message("async", word, n))
		if err != nil {
			return n, err
		}
	}
	all.Wait()
	return int(acked.Load()), nil
}

func (g *goWays) stop() {
	for _, c := range g.readers {
		_ = c.Shutdown()
	}
	if g.transactions != nil {
		_ = g.transactions.Shutdown()
	}
	if g.plain != nil {
		_ = g.plain.Shutdown()
	}
}

// waysDecider rolls the first transaction of each word back.
type waysDecider struct{}

func (waysDecider) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	if strings.HasSuffix(string(m.Body), "-0") {
		return primitive.RollbackMessageState
	}
	return primitive.CommitMessageState
}

func (d waysDecider) CheckLocalTransaction(
	m *primitive.MessageExt,
) primitive.LocalTransactionState {
	return d.ExecuteLocalTransaction(&m.Message)
}
