package rocketmq_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLiveBrokersTellTheirTime(t *testing.T) {
	onEach(t, func(l *live) {
		is, err := l.client.Clock(l.ctx, l.addr)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), is, 10*time.Second, "the broker is on this machine")
	})
}
