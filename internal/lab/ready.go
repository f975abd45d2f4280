package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

const (
	// serveTime is how long one server may take to serve: 2 to 5 s on an idle machine, much more
	// where many start.
	serveTime = 5 * time.Minute
	// answerTime is how long a server that listens may take for one answer, before the question is
	// put again.
	answerTime = 2 * time.Second
)

// awaitServed waits until the server says that it is up, and does its work.
func (c *Cluster) awaitServed(ctx context.Context, s server) error {
	ctx, cancel := context.WithTimeout(ctx, serveTime)
	defer cancel()
	client := rocketmq.NewClient(c.state.Spec.Admin.options())
	defer client.Close()

	err := await(ctx, func() error { return c.started(s) })
	if err == nil {
		registration := &registration{client: client, cluster: c}
		err = await(ctx, func() error {
			if err := c.started(s); err != nil {
				return backoff.Permanent(err)
			}
			ctx, cancel := context.WithTimeout(ctx, answerTime)
			defer cancel()
			return c.works(ctx, client, s, registration)
		})
	}
	if err != nil && !errors.Is(err, errPortTaken) {
		return fmt.Errorf("%w; the end of %s:\n%s", err, c.log(s), tail(c.log(s)))
	}
	return err
}

// started reads in the server's log, which begins with its process, whether it is up.
func (c *Cluster) started(s server) error {
	current, err := c.server(s.Role, s.Name)
	if err != nil {
		return backoff.Permanent(err)
	}
	alive := current.Process.alive() // before the log is read: what it said last counts
	log, err := os.ReadFile(c.log(s))
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(string(log), "Address already in use"): // 5.x goes on running with half of its ports
		return backoff.Permanent(errPortTaken)
	case !alive:
		return backoff.Permanent(errors.New("its process has ended"))
	case !strings.Contains(string(log), successLine(s.Role)):
		return errors.New("it is still starting")
	}
	return nil
}

func successLine(r role) string {
	if r == roleProxy {
		return "startup successfully"
	}
	return "boot success"
}

// works asks for an answer that only a working server gives.
func (c *Cluster) works(ctx context.Context, client *rocketmq.Client, s server, r *registration) error {
	switch s.Role {
	case roleNameServer:
		for _, broker := range c.servers(roleBroker) {
			if broker.Process.alive() {
				if err := r.check(ctx, broker); err != nil {
					return err
				}
			}
		}
		return connects(ctx, s.Port)
	case roleBroker:
		answer, err := client.Call(ctx, address(s.Port), &remoting.Command{Code: remoting.CodeRuntime})
		if err != nil {
			return err
		}
		if answer.Code != remoting.Success {
			return fmt.Errorf("%s answers %s: %s", s.Name, remoting.CodeName(answer.Code), answer.Remark)
		}
		return r.ensure(ctx, s)
	default:
		return errors.Join(connects(ctx, s.Port), connects(ctx, s.GRPC))
	}
}

func connects(ctx context.Context, port int) error {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address(port))
	if err != nil {
		return err
	}
	return connection.Close()
}

// registration looks whether brokers are known to the name server.
type registration struct {
	client  *rocketmq.Client
	cluster *Cluster
	asked   bool
}

// check asks the name server for the topic that every broker makes with the cluster's name.
func (r *registration) check(ctx context.Context, s server) error {
	for _, nameServer := range r.cluster.NameServers {
		route, err := r.client.Call(ctx, nameServer, &remoting.Command{
			Code: remoting.CodeRoute, Fields: map[string]string{"topic": r.cluster.state.Spec.Name},
		})
		if err != nil {
			return err
		}
		known := strings.Contains(string(route.Body), `"`+address(s.Port)+`"`)
		if !known {
			return fmt.Errorf("%s is not registered at the name server %s", s.Name, nameServer)
		}
	}
	return nil
}

// ensure is check for a broker that has just started. A 5.x broker registers before it says that it
// is up, but not if it hasn't yet found in the background that the name server can be reached; then
// it registers 10 s later. Setting its permission to the present value makes it register at once.
func (r *registration) ensure(ctx context.Context, s server) error {
	err := r.check(ctx, s)
	if err == nil || r.asked {
		return err
	}
	r.asked = true
	permission := cmp.Or(r.cluster.state.Spec.Config["brokerPermission"], "6")
	_, call := r.client.Call(ctx, address(s.Port), &remoting.Command{
		Code: remoting.CodeUpdateBrokerConfig, Body: []byte("brokerPermission=" + permission + "\n"),
	})
	return errors.Join(err, call)
}
