package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
)

// asks has the client pull for a group, or commit, and returns the offset that the answer goes on with.
func (p *passage) asks(code int, group string, offset int64) int64 {
	p.Helper()
	_, err := p.client.Write(wire.AppendRequest(nil, code, 5, 0, []string{
		"consumerGroup", group, "topic", "orders", "queueId", "3", "queueOffset", fmt.Sprint(offset), "commitOffset", fmt.Sprint(offset), "sysFlag", "0",
	}, nil))
	require.NoError(p, err)
	require.NoError(p, p.client.SetReadDeadline(time.Now().Add(20*time.Second)))
	var f wire.Frame
	require.NoError(p, p.in.Next(&f))
	next, _ := f.Number("nextBeginOffset")
	return next
}

// A client that invents groups gets its answers, takes no memory, and costs known groups nothing.
func TestGroupsThatClientsInventHaveBounds(t *testing.T) {
	const answer = `{"code":19,"extFields":{"suggestWhichBrokerId":"0","nextBeginOffset":"2000","minOffset":"0","maxOffset":"2000"},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	p := newPassage(t, headed(answer, nil))
	p.view.side, p.view.shift[target] = target, 1000 // billing has moved
	groups := &p.gateway.groups
	groups.room.most = 3
	long := strings.Repeat("x", longestGroup+1)
	assert.EqualValues(t, 2000, p.asks(codePull, long, 5))
	require.False(t, groups.room.lacks.Load())
	require.ErrorIs(t, groups.mayFollow(long, target), ErrRefused)
	for i := range 2 { // for which there is room besides billing
		assert.EqualValues(t, 2000, p.asks(codePull, fmt.Sprint("invented-", i), 5))
	}
	require.NoError(t, groups.mayFollow("invented-1", target))
	for i := range 100 {
		assert.EqualValues(t, 2000, p.asks(codePull, fmt.Sprint("more-", i), 5), "as the source has it")
		p.asks(codeUpdateOffset, fmt.Sprint("more-", i), 5)
		p.asks(codeQueryOffset, fmt.Sprint("more-", i), 5)
	}
	assert.Len(t, groups.all(), 3)
	assert.EqualValues(t, 3, groups.room.made.Load())
	assert.EqualValues(t, 1000, p.asks(codePull, "billing", 5), "as the group sees the target")
	assert.EqualValues(t, 2000, p.asks(codePull, "invented-1", 5))
	_, err := local{p.gateway}.prepareViews(&part{round: Round{Group: "invented-1"}, to: target})
	require.ErrorIs(t, err, ErrRefused)
	assert.ErrorContains(t, err, "find the client that invents groups")
	require.NoError(t, groups.mayFollow("billing", source), "the way back stays open")
	groups.get([]byte("moved-anyway")).of(p.queue)
	assert.Len(t, groups.all(), 4, "rounds make the views that they need")
}
