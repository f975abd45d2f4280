package gateway

import (

	//nolint:gosec // the protocol's signature is HMAC-SHA1
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// signedBroker is a broker that locks whatever it is asked for, and tells whether requests are
// signed with a secret.
func signedBroker(t *testing.T, secret, locks string) (addr string, signed chan bool) {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = at.Close() })
	signed = make(chan bool, 10)
	go func() {
		for {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				in, mac := wire.NewReader(conn), remoting.NewMAC(secret)
				var f wire.Frame
				for in.Next(&f) == nil {
					signed <- f.SignedWith(mac)
					reply := wire.Reply{Code: remoting.Success, Body: []byte(locks)}
					_, _ = conn.Write(wire.AppendReply(nil, f.Opaque, f.Binary, reply))
				}
			}()
		}
	}()
	return at.Addr().String(), signed
}

// Queues of a retry topic that the target has no pair of are locked on the source, whoever is the
// authority: in the client's own name, as it would sign there.
func TestLocksThatStayBehindAreSigned(t *testing.T) {
	for name, by := range map[string]signing{"a known key": rightly, "no key": unsignedBy} {
		t.Run(name, func(t *testing.T) {
			const own = `{"topic":"%RETRY%billing","brokerName":"broker-a","queueId":0}`
			keys := appKeys
			if by.key == "" {
				keys = `{"unsigned": {"accessKey": "app-there", "secretKey": "secret-there"}}`
			}
			g := newGuarded(t, keys)
			g.queue(routing.Target)
			g.gateway.table.MoveAuthority(routing.Target)
			g.gateway.table.Topics.Ensure("%RETRY%billing").Ensure("broker-a", 1)
			here, signedHere := signedBroker(t, appSecret, `{"lockOKMQSet":[`+own+`]}`)
			there, signedThere := signedBroker(t, "secret-there", `{"lockOKMQSet":[]}`)
			g.gateway.sides.Brokers[routing.Source].Store(&map[string][]string{"broker-a": {here}})
			g.gateway.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-t": {there}})
			g.request(remoting.CodeLock, 0, by, nil, `{"consumerGroup":"billing","clientId":"one","mqSet":[`+own+
				`,{"topic":"orders","brokerName":"broker-a","queueId":0}]}`)
			is, remark := g.answer()
			require.Equal(t, remoting.Success, is, remark)
			assert.Equal(t, by.key != "", <-signedHere, "on the source")
			assert.True(t, <-signedThere, "on the target")
		})
	}
}
