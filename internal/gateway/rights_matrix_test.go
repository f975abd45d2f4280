package gateway

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// matrix is each request of each account in each stage of a migration, through a gateway between
// clusters with access control.
type matrix struct {
	*rig
	at                [2]rocketmq.Broker
	through, straight map[string]*place // by account
	rulings           map[question]ruling
	cells             *cells
	waiting           *waiting
	clusters          [2]*lab.Cluster
	unsigned          bool // the gateway signs on the target for those that don't sign
	dead              bool // the target's broker
}

// sides are those whose brokers live.
func (m *matrix) sides() []routing.Side {
	if m.dead {
		return []routing.Side{routing.Source}
	}
	return []routing.Side{routing.Source, routing.Target}
}

// question is what an account asks a side's broker straight.
type question struct {
	account, request string
	on               routing.Side
}

// ruling is what became of a request.
type ruling struct {
	refused bool
	says    string
	words   string // that a refusal must have
}

// is reports whether another one is what this one wants.
func (r ruling) is(got ruling) bool {
	return r.refused == got.refused && strings.Contains(got.says, r.words)
}

func (r ruling) String() string {
	if r.refused {
		return fmt.Sprintf("refused (%s%s)", r.says, r.words)
	}
	return fmt.Sprintf("allowed (%s)", r.says)
}

type cells struct{ refused, reused, allowed atomic.Int64 }

func (m *matrix) addr(on routing.Side) string { return m.at[on].Addr }

func (m *matrix) cluster(on routing.Side) *rocketmq.Cluster {
	return map[routing.Side]*rocketmq.Cluster{routing.Source: m.source, routing.Target: m.target}[on]
}

// as is the matrix for a part of the test.
func (m *matrix) as(t *testing.T) *matrix {
	r, part := *m.rig, *m
	r.T, part.rig = t, &r
	return &part
}

// patientBrokers answer on a busy machine too: what they drop unread because it has waited for long
// in a queue, 5 s with some, says nothing of rights.
var patientBrokers = map[string]string{
	"waitTimeMillsInSendQueue": "60000", "waitTimeMillsInTransactionQueue": "60000",
	"waitTimeMillsInPullQueue": "60000", "waitTimeMillsInLitePullQueue": "60000",
	"waitTimeMillsInHeartbeatQueue": "60000", "waitTimeMillsInAckQueue": "60000",
	"waitTimeMillsInAdminBrokerQueue": "60000",
}

// newMatrix starts the clusters, and makes the accounts with their topics and groups on both.
func newMatrix(t *testing.T) *matrix {
	t.Helper()
	var credentials [2]*remoting.Credentials
	var clusters [2]*lab.Cluster
	for on, version := range []string{"4.9.7", "5.3.3"} {
		name := routing.Side(on).String()
		admin := &lab.Account{AccessKey: "rights-" + name, SecretKey: "secret-of-" + name}
		credentials[on] = &remoting.Credentials{
			AccessKey: admin.AccessKey, SecretKey: admin.SecretKey,
		}
		clusters[on] = labtest.OwnCluster(t, lab.ClusterSpec{
			Name: "Rights" + name, Version: version, Brokers: 1, Admin: admin, Config: patientBrokers,
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), rigTime)
	t.Cleanup(cancel)
	m := &matrix{
		rig: &rig{
			T: t, ctx: ctx, name: "rights", seen: &seen{},
			source: connect(t, clusters[routing.Source], credentials[routing.Source]),
			target: connect(t, clusters[routing.Target], credentials[routing.Target]),
		},
		through: map[string]*place{}, straight: map[string]*place{},
		rulings: map[question]ruling{}, cells: &cells{}, waiting: &waiting{},
	}
	m.configure(clusters[routing.Source].NameServers)
	m.config.Keys = filepath.Join(t.TempDir(), "keys.yaml")
	m.writeKeys(false)
	m.clusters = clusters
	m.config.Credentials, m.config.OnTarget = credentials[routing.Source], credentials[routing.Target]
	m.at = [2]rocketmq.Broker{m.brokers(m.source)[0], m.brokers(m.target)[0]}
	for _, a := range accounts {
		m.through[a.name], m.straight[a.name] = m.newPlace(a, false), m.newPlace(a, true)
	}
	m.grant(clusters[routing.Source])
	return m
}

// call sends a request to the broker of a side as its admin, and wants it done.
func (m *matrix) call(on routing.Side, c *remoting.Command) *remoting.Command {
	m.Helper()
	got, err := m.cluster(on).Client().Call(m.ctx, m.addr(on), c)
	require.NoError(m, err)
	require.Equal(m, remoting.Success, got.Code, "code %d: %s", c.Code, got.Remark)
	return got
}

// measure asks each side's broker straight.
func (m *matrix) measure() {
	m.Helper()
	for _, p := range m.straight {
		for _, on := range []routing.Side{routing.Source, routing.Target} {
			m.findFirst(p, on)
			c := m.dial(m.addr(on), m.cluster(on).NameServers()[0])
			for _, q := range allAsked() {
				if strings.HasSuffix(q.name, " of the "+on.Other().String()) {
					continue // that message isn't here
				}
				p.stage = "straight to the " + on.String()
				if q.halves {
					m.prepare(p, q, on)
				}
				q.oneWay = false // brokers judge these alike, and say so
				got, err := c.ask(q, p, on)
				require.NoError(m, err, "%s by %s, straight to the %s", q.name, p.name, on)
				m.rulings[question{p.name, q.name, on}] = got
			}
			c.close()
		}
	}
}

// caller sends raw requests of one account.
type caller struct {
	to     map[bool]net.Conn // by whether it is for a name server
	in     map[bool]*wire.Reader
	opaque int32
}

func (m *matrix) dial(broker, nameServer string) *caller {
	m.Helper()
	c := &caller{to: map[bool]net.Conn{}, in: map[bool]*wire.Reader{}}
	for names, addr := range map[bool]string{false: broker, true: nameServer} {
		conn, err := net.DialTimeout("tcp", addr, patience)
		require.NoError(m, err)
		c.to[names], c.in[names] = conn, wire.NewReader(conn)
	}
	return c
}

func (c *caller) close() {
	for _, conn := range c.to {
		_ = conn.Close()
	}
}

// answerWithin bounds how long an answer may take, on a busy machine too.
const answerWithin = 30 * time.Second

// ask sends a request, and judges the answer: one-way requests have none. An error is what is no
// answer of a broker.
func (c *caller) ask(q asked, p *place, on routing.Side) (r ruling, err error) {
	c.opaque++
	raw, err := q.frame(p, c.opaque, on)
	if err != nil {
		return r, err
	}
	conn := c.to[q.names]
	if _, err := conn.Write(raw); err != nil || q.oneWay {
		return r, err
	}
	return c.answer(q.names)
}

// answer judges the next answer to the last request, of a name server or of a broker.
func (c *caller) answer(names bool) (r ruling, err error) {
	if err := c.to[names].SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return r, err
	}
	for {
		var f wire.Frame
		if err := c.in[names].Next(&f); err != nil {
			return r, fmt.Errorf("no answer: %w", err)
		}
		if !f.Response() || f.Opaque != c.opaque {
			continue // brokers ask clients, too
		}
		remark, _, _ := strings.Cut(string(f.Remark), ", org.apache")
		r = ruling{refused: refusal(f.Code, remark), says: fmt.Sprintf("code %d %.200s", f.Code, remark)}
		switch {
		case strings.HasPrefix(remark, "rocketshift gateway:"):
			return r, fmt.Errorf("the gateway's own answer: %s", r)
		case r.refused && len(f.Body) > 0:
			return r, fmt.Errorf("%s, and has a body of %d bytes", r, len(f.Body))
		}
		return r, nil
	}
}

// refusal reports whether an answer is that of an access control: ACL 1.0 throws AclException, ACL
// 2.0 answers NO_PERMISSION.
func refusal(code int, remark string) bool {
	return code == remoting.NoPermission ||
		code == remoting.SystemError && strings.Contains(remark, "AclException")
}
