package gateway

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A client that invents groups gets its answers, takes no memory, and costs known groups nothing.
func TestGroupsThatClientsInventHaveBounds(t *testing.T) {
	const answer = `{"code":19,"extFields":{"suggestWhichBrokerId":"0","nextBeginOffset":"2000","minOffset":"0","maxOffset":"2000"},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	p := newPassage(t, answer, nil)
	p.view.side, p.view.shift[target] = target, 1000 // billing has moved
	groups := &p.gateway.groups
	groups.room.most = 3
	long := strings.Repeat("x", longestGroup+1)
	assert.EqualValues(t, 2000, p.next(codePull, long, 5))
	require.False(t, groups.room.lacks.Load())
	require.ErrorIs(t, groups.mayFollow(long, target), ErrRefused)
	for i := range 2 { // for which there is room besides billing
		assert.EqualValues(t, 2000, p.next(codePull, fmt.Sprint("invented-", i), 5))
	}
	require.NoError(t, groups.mayFollow("invented-1", target))
	for i := range 100 {
		assert.EqualValues(t, 2000, p.next(codePull, fmt.Sprint("more-", i), 5), "as the source has it")
		p.next(codeUpdateOffset, fmt.Sprint("more-", i), 5)
		p.next(codeQueryOffset, fmt.Sprint("more-", i), 5)
	}
	assert.Len(t, groups.all(), 3)
	assert.EqualValues(t, 3, groups.room.made.Load())
	assert.EqualValues(t, 1000, p.next(codePull, "billing", 5), "as the group sees the target")
	assert.EqualValues(t, 2000, p.next(codePull, "invented-1", 5))
	_, err := local{p.gateway}.prepareViews(&part{round: Round{Group: "invented-1"}, to: target})
	require.ErrorIs(t, err, ErrRefused)
	assert.ErrorContains(t, err, "find the client that invents groups")
	require.NoError(t, groups.mayFollow("billing", source), "the way back stays open")
	groups.get([]byte("moved-anyway")).of(p.queue)
	assert.Len(t, groups.all(), 4, "rounds make the views that they need")
}

// BenchmarkInvented is what a group takes that reads one queue, in bytes that stay.
func BenchmarkInvented(b *testing.B) {
	groups, q := &groups{byName: map[string]*group{}}, &queue{}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range b.N {
		groups.asked(fmt.Appendf(nil, "some-invented-group-%07d", i), q)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/group")
	runtime.KeepAlive(groups)
}
