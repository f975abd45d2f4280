package rocketmq

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

func TestTheTimeOfABrokerIsItsStartAndHowLongAgoThatWas(t *testing.T) {
	for table, want := range map[string]int64{
		`"bootTimestamp":"1000000","runtime":"[ 1 days, 2 hours, 3 minutes, 4 seconds ]"`: 1000000 + (26*3600+184)*1000,
		`"bootTimestamp":"1000000","runtime":"1 day"`:                                     0,
		`"runtime":"[ 0 days, 0 hours, 0 minutes, 0 seconds ]"`:                           0,
	} {
		s := serve(t, func(conn net.Conn, c *remoting.Command) {
			reply(conn, c, remoting.Success, nil, `{"table":{`+table+`}}`)
		})
		is, err := testClient(t).Clock(context.Background(), s.Addr().String())
		if want == 0 {
			require.ErrorContains(t, err, "its time isn't known", table)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, want, is.UnixMilli())
	}
}
