package lab

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestANameServerGetsThePortThatIsAskedForOrSaysThatItIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	spec := ClusterSpec{Version: "4.9.7", NameServerPort: port}.withDefaults()
	_, err = spec.servers(FreePorts)
	require.ErrorContains(t, err, "which the name server should get, is in use")

	require.NoError(t, listener.Close())
	servers, err := spec.servers(FreePorts)
	require.NoError(t, err)
	require.Equal(t, port, servers[0].Port)
	require.NotEqual(t, port, servers[1].Port)
}
