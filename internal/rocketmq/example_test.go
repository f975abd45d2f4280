package rocketmq_test

import (
	"context"
	"fmt"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A cluster finds its brokers by its name servers; its client calls one of them.
func ExampleCluster() {
	ctx := context.Background()
	client := rocketmq.NewClient(rocketmq.Options{
		Credentials: &remoting.Credentials{AccessKey: "reader", SecretKey: "of the environment"},
	})
	defer client.Close()
	cluster := rocketmq.NewCluster(client, []string{"10.0.0.1:9876", "10.0.0.2:9876"})
	brokers, err := cluster.Brokers(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range brokers {
		var topics map[string]rocketmq.TopicConfig
		err := remoting.RetryRead(ctx, func() (err error) { // a read may be repeated, whatever became of the last one
			topics, err = client.TopicConfigs(ctx, b.Addr)
			return err
		})
		fmt.Println(b.Name, len(topics), err)
	}
}

func ExampleRetryGroup() {
	group, retry := rocketmq.RetryGroup("%RETRY%billing")
	fmt.Println(group, retry)
	_, retry = rocketmq.RetryGroup("orders")
	fmt.Println(retry)
	// Output:
	// billing true
	// false
}
