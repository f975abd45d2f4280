package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// Clients in C++ and what is built on them, Node, PHP and Erlang write numbers and truth values in
// fields as such, and what ends a line after a header. Brokers of both sides get texts.
func TestFieldsOfForeignClientsAreTaken(t *testing.T) {
	const fields = `{"a":"producers","b":"orders","e":0,"f":0,"g":1700000000123,"h":0,"i":"","j":0,"k":false,"m":true}`
	for name, header := range map[string]string{
		"C++": `{"code":310,"extFields":` + fields + `,"flag":0,"language":"CPP","opaque":1,"version":63}` + "\n",
		"Erlang": `{"code":310,"extFields":` + fields +
			`,"flag":0,"language":"JAVA","opaque":1,"remark":null,"serializeTypeCurrentRPC":"JSON","version":315}`,
		"PHP": `{"code": 310, "language": "PHP", "version": 0, "opaque": 1, "flag": 0, "remark": "", ` +
			`"extFields": ` + fields + `}`,
	} {
		for on, home := range map[string]routing.Side{"0": routing.Source, "1": routing.Target} {
			g := newNamed(t)
			g.queue(home)
			g.opaque = 1
			_, err := g.client.Write(headed(header, []byte("body")))
			require.NoError(t, err)
			is, remark := g.answer()
			require.Equal(t, remoting.Success, is, "%s, %s: %s", name, home, remark)
			broker := map[routing.Side]*standIn{routing.Source: g.source, routing.Target: g.target}[home]
			got := broker.next(t).fields
			assert.Equal(t, []string{"orders", on, "1700000000123", "false", "true"},
				[]string{got["b"], got["e"], got["g"], got["k"], got["m"]}, "%s, %s", name, home)
		}
	}
}
