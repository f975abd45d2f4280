package inventory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
)

func withMembers(groups, members int) (names []string, all map[string]clusters.Connections) {
	all = map[string]clusters.Connections{}
	for g := range groups {
		of := clusters.Connections{Members: map[string]clusters.Member{}}
		for m := range members {
			of.Members[fmt.Sprint("client-", m)] = clusters.Member{}
		}
		name := fmt.Sprintf("group-%04d", g)
		names, all[name] = append(names, name), of
	}
	return names, all
}

func TestMembersThatNeverAnswerHoldUpNoAssessment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, all := withMembers(400, 5)
		began := time.Now()
		var asked atomic.Int64
		_, silent := howGroupsConsume(t.Context(), names, all,
			func(ctx context.Context, _, _ string) (bool, error) {
				asked.Add(1)
				<-ctx.Done() // as brokers do for members that don't answer, for 10 s
				return false, ctx.Err()
			}, func(string) {})
		require.Equal(t, askedFor, time.Since(began))
		require.Equal(t, names, silent, "of none it is known")
		require.GreaterOrEqual(t, asked.Load(), int64(clusters.Together*(askedFor/clusters.MemberPatience)),
			"one that doesn't answer is given up soon")
	})
}

func TestMembersAreAskedSideBySideUntilOneAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, all := withMembers(80, 2)
		var mu sync.Mutex
		now, most, told := 0, 0, ""
		began := time.Now()
		orderly, silent := howGroupsConsume(t.Context(), names, all,
			func(_ context.Context, group, id string) (bool, error) {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				if group == names[0] && id == "client-0" {
					return false, errors.New("this member has just left")
				}
				return group == names[0], nil
			}, func(text string) { told = text })
		require.Equal(t, clusters.Together, most)
		require.LessOrEqual(t, time.Since(began), 11*time.Second)
		require.Empty(t, silent)
		require.Equal(t, "members of 80 of 80 groups asked", told)
		require.True(t, orderly[names[0]], "the second member was asked")
		require.False(t, orderly[names[1]])
	})
}

func TestGroupsThatSayNothingAreAFinding(t *testing.T) {
	inv := &look{silent: []string{"billing"}}
	found := inv.silentFindings()
	require.Len(t, found, 1)
	require.False(t, found[0].Refusal)
	require.Equal(t, "groups [billing]", found[0].Object)
	require.Empty(t, (&look{}).silentFindings())
}
