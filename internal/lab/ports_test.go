package lab

import (
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFreePortsLieWellApartBelowTheOutgoingOnes(t *testing.T) {
	ports, err := FreePorts(20)
	require.NoError(t, err)
	require.Len(t, ports, 20)
	slices.Sort(ports)
	for i, port := range ports {
		require.Less(t, port, 32768)
		if i > 0 {
			require.GreaterOrEqual(t, port-ports[i-1], portStep)
		}
	}
}

func TestPortIsNotFreeForABrokerWhenItsNeighbourIsTaken(t *testing.T) {
	for _, neighbour := range []int{0, -2, 1} {
		ports, err := FreePorts(1)
		require.NoError(t, err)
		listener, err := net.Listen("tcp", localhost+":"+strconv.Itoa(ports[0]+neighbour))
		require.NoError(t, err)
		require.False(t, brokerPortsFree(ports[0]), "neighbour %d", neighbour)
		require.NoError(t, listener.Close())
		require.True(t, brokerPortsFree(ports[0]))
	}
}

func TestTooManyPortsAreRefused(t *testing.T) {
	_, err := FreePorts(1_000_000)
	require.ErrorContains(t, err, "1000000 free ports")
}
