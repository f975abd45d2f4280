package rocketmq

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/rocketmq/remoting"
)

// Runtime is a broker's runtime statistics: brokerVersionDesc, bootTimestamp, msgPutTotalTodayNow
// and others.
func (c *Client) Runtime(ctx context.Context, addr string) (map[string]string, error) {
	o, err := c.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeRuntime}, "")
	if err != nil {
		return nil, err
	}
	return o.Object("table").Texts(), nil
}

// brokerVersion reads V4_9_7 as 4.9.7.
func (c *Client) brokerVersion(ctx context.Context, addr string) (string, error) {
	table, err := c.Runtime(ctx, addr)
	if err != nil {
		return "", fmt.Errorf("broker %w", err)
	}
	return strings.ReplaceAll(strings.TrimPrefix(table["brokerVersionDesc"], "V"), "_", "."), nil
}

// BrokerConfig is a broker's configuration as its own properties text says it.
func (c *Client) BrokerConfig(ctx context.Context, addr string) (map[string]string, error) {
	got, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeBrokerConfig}, "")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(got.Body)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			out[name] = value
		}
	}
	return out, nil
}

// OrderNamespace is where name servers keep which queues producers of an ordered topic see:
// broker-a:4;broker-b:4 by the topic. They show it if their orderMessageEnable is true.
const OrderNamespace = "ORDER_TOPIC_CONFIG"

// KVList is what a name server keeps in a namespace of its KV configuration; nothing of a namespace
// that it doesn't have.
func (c *Client) KVList(ctx context.Context, nameServer, namespace string) (map[string]string, error) {
	got, err := c.ask(ctx, nameServer, &remoting.Command{
		Code: remoting.CodeKVList, Fields: map[string]string{"namespace": namespace},
	}, namespace, remoting.QueryNotFound)
	if err != nil || got.Code == remoting.QueryNotFound {
		return nil, err
	}
	o, err := remoting.ParseObject(got.Body)
	if err != nil {
		return nil, badBody(nameServer, remoting.CodeKVList, err)
	}
	return o.Object("table").Texts(), nil
}

// PutKV writes a key of a name server's KV configuration. Each name server has its own.
func (c *Client) PutKV(ctx context.Context, nameServer, namespace, key, value string) error {
	_, err := c.ask(ctx, nameServer, &remoting.Command{
		Code:   remoting.CodeKVPut,
		Fields: map[string]string{"namespace": namespace, "key": key, "value": value},
	}, namespace+"/"+key)
	return err
}

// DeleteKV deletes a key of a name server's KV configuration; one that isn't there is none.
func (c *Client) DeleteKV(ctx context.Context, nameServer, namespace, key string) error {
	_, err := c.ask(ctx, nameServer, &remoting.Command{
		Code: remoting.CodeKVDelete, Fields: map[string]string{"namespace": namespace, "key": key},
	}, namespace+"/"+key)
	return err
}

// askObject is ask for calls that answer with a JSON object.
func (c *Client) askObject(
	ctx context.Context,
	addr string,
	cmd *remoting.Command,
	about string,
) (remoting.Object, error) {
	got, err := c.ask(ctx, addr, cmd, about)
	if err != nil {
		return nil, err
	}
	o, err := remoting.ParseObject(got.Body)
	if err != nil {
		return nil, badBody(addr, cmd.Code, err)
	}
	return o, nil
}

func badBody(addr string, code int, err error) error {
	return fmt.Errorf("%s: %s: the answer can't be read: %w", addr, remoting.RequestName(code), err)
}

// Clock is a broker's time, by its runtime statistics: when it started, by its clock, and how many
// whole seconds ago that was (StoreStatsService, 4.5.2 to 5.3.3). It may be late by a second and
// the time of the call. A broker that doesn't tell it is an error.
func (c *Client) Clock(ctx context.Context, addr string) (time.Time, error) {
	table, err := c.Runtime(ctx, addr)
	if err != nil {
		return time.Time{}, err
	}
	begun, err := strconv.ParseInt(table["bootTimestamp"], 10, 64)
	if err != nil || begun <= 0 {
		return time.Time{}, fmt.Errorf("%s: its bootTimestamp is %q: its time isn't known", addr,
			table["bootTimestamp"])
	}
	var days, hours, minutes, seconds int64
	_, err = fmt.Sscanf(table["runtime"], "[ %d days, %d hours, %d minutes, %d seconds ]",
		&days, &hours, &minutes, &seconds)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: its runtime is %q: its time isn't known", addr, table["runtime"])
	}
	ran := time.Duration(((days*24+hours)*60+minutes)*60+seconds) * time.Second
	return time.UnixMilli(begun).Add(ran), nil
}

// Nodes lists the masters and slaves that a name server knows, sorted by name and id.
func (c *Client) Nodes(ctx context.Context, nameServer string) ([]Node, error) {
	o, err := c.askObject(ctx, nameServer, &remoting.Command{Code: remoting.CodeClusterInfo}, "")
	if err != nil {
		return nil, err
	}
	var out []Node
	for _, entry := range o.Object("brokerAddrTable") {
		b, _ := entry.Value.(remoting.Object)
		for _, addr := range b.Object("brokerAddrs") {
			if id, ok := remoting.NumberOf(addr.Key); ok {
				out = append(out, Node{
					Cluster: b.Text("cluster"),
					Name:    b.Text("brokerName"),
					ID:      id,
					Addr:    remoting.TextOf(addr.Value),
				})
			}
		}
	}
	slices.SortFunc(out,
		func(a, b Node) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// Nodes lists the cluster's masters and slaves, of which any of its name servers knows. A proxy
// knows no slaves.
func (c *Cluster) Nodes(ctx context.Context) ([]Node, error) {
	registry, err := c.Registry(ctx)
	return registry.nodes(), err
}
