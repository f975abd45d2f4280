package gateway

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

func TestTLSSettingsThatCantBeMeantAreRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for says, c := range map[string]Config{
		"TLS to the source: it is told how to verify certificates, but not to use TLS": {SourceTLS: connections.TLS{Insecure: true}},
		"TLS to the target: authorities are given, and verifying is switched off":      {TargetTLS: connections.TLS{On: true, CA: empty, Insecure: true}},
		"empty.pem holds no certificate in PEM form":                                   {TargetTLS: connections.TLS{On: true, CA: empty}},
		"no such file":                  {SourceTLS: connections.TLS{On: true, CA: empty + ".none"}},
		"certificate for clients in /":  {TLSCert: empty, TLSKey: empty},
		"certificate for clients: stat": {TLSCert: empty},
	} {
		c.Name, c.Advertise, c.Dir, c.NameServers = "g", "127.0.0.1", t.TempDir(), []string{"127.0.0.1:1"}
		_, err := Start(c)
		assert.ErrorContains(t, err, says)
	}
}

// Java clients over TLS send and read through a gateway that reaches both sides over TLS, beside
// clients in plain text at the same ports.
func TestLiveClientsAndBothSidesUseTLS(t *testing.T) {
	r := newRigBetween(t, "tls",
		labtest.OwnCluster(t, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 2, TLS: true}),
		labtest.OwnCluster(t, lab.ClusterSpec{Name: "Target", Version: "5.3.3", TLS: true}))
	r.config.TLSCert, r.config.TLSKey = filepath.Join(r.config.Dir, "tls.crt"), filepath.Join(r.config.Dir, "tls.key")
	certificatestest.Write(t, r.config.TLSCert, r.config.TLSKey, "gateway", 1)
	r.config.SourceTLS, r.config.TargetTLS = connections.TLS{
		On:       true,
		Insecure: true,
	}, connections.TLS{
		On:       true,
		Insecure: true,
	}
	orders, ordered, audit := r.topic("orders", 2), r.group("ordered"), r.group("audit")
	r.replicate()
	g := r.open()
	overTLS := []string{"-Dtls.enable=true", "-Drocketmq.serialize.type=ROCKETMQ"} // and with binary headers
	billing := r.javaConsume(ordered, 1,
		javaclient.Consumer{Version: "4.9.7", JVM: overTLS, Topic: orders, Mode: javaclient.Orderly})
	plain := r.consume(audit, orders, 1, false)
	r.warmUp(orders, billing, plain)
	load := r.javaProduce(orders, "5.3.3", javaclient.Ordered, 8, 40*time.Millisecond, overTLS...)
	for range 2 {
		for _, to := range []string{"target", "source"} {
			r.move(control.Move{Kind: control.KindSide, To: to, Groups: []string{ordered, audit}})
			r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{orders}})
			r.untilMore(100, load, billing, plain)
		}
	}
	secure, inPlain, upstreams := 0, 0, 0
	for _, s := range g.clients.registry.all() {
		if _, is := s.conn.(*tls.Conn); is {
			secure++
		} else {
			inPlain++
		}
		s.mu.Lock()
		for to, up := range s.ups {
			assert.IsType(t, &tls.Conn{}, up.conn, "%v", to)
			upstreams++
		}
		s.mu.Unlock()
	}
	assert.GreaterOrEqual(t, secure, 4, "connections of the Java clients")
	assert.NotZero(t, inPlain)
	load.end()
	billing.untilRead(load)
	plain.untilRead(load)
	r.sentWell(billing, load)
	assert.Equal(t, verdict{}, billing.judge(load))
	v := plain.judge(load)
	assert.Zero(t, v.lost+v.duplicated)
	t.Logf("%s; %d connections over TLS, %d plain ones, %d upstream", load, secure, inPlain, upstreams)
}
