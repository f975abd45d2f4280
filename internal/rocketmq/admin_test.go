package rocketmq

import (
	"context"
	"fmt"

	"rocketshift/internal/rocketmq/remoting"
)

// Admin calls that tests alone need.

// DeleteGroup deletes a group and, where clean, its offsets.
func (c *Client) DeleteGroup(ctx context.Context, addr, group string, clean bool) error {
	value := fmt.Sprint(clean)
	_, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeDeleteGroup, Fields: map[string]string{
		"groupName": group, "removeOffset": value, "cleanOffset": value, // the names of 4.9 and of 5.x
	}}, group)
	return err
}

// DeleteTopicInNameServer takes a topic out of one name server's routes.
func (c *Client) DeleteTopicInNameServer(ctx context.Context, nameServer, topic string) error {
	_, err := c.ask(ctx, nameServer,
		&remoting.Command{Code: remoting.CodeDeleteTopicInNS, Fields: map[string]string{"topic": topic}}, topic)
	return err
}

// MinuteStats counts one statistic over the last minute.
type MinuteStats struct {
	Sum int64
	TPS float64
}

// Stats reads a statistic such as TOPIC_PUT_NUMS of a topic; a key that was never counted is zero,
// no error.
func (c *Client) Stats(ctx context.Context, addr, name, key string) (MinuteStats, error) {
	got, err := c.ask(ctx, addr,
		&remoting.Command{Code: remoting.CodeStats, Fields: map[string]string{"statsName": name, "statsKey": key}},
		name+" "+key, remoting.SystemError)
	if err != nil || got.Code == remoting.SystemError {
		return MinuteStats{}, err
	}
	o, err := remoting.ParseObject(got.Body)
	if err != nil {
		return MinuteStats{}, badBody(addr, remoting.CodeStats, err)
	}
	minute := o.Object("statsMinute")
	var tps float64
	if _, err := fmt.Sscan(minute.Text("tps"), &tps); err != nil {
		tps = 0
	}
	return MinuteStats{Sum: minute.Number("sum"), TPS: tps}, nil
}
