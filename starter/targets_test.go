package main

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/instance"
	"rocketshift/starter/remote"
)

// fakeTargets are local targets by name, with the applications that are connected to each.
type fakeTargets map[string][]string

func (f fakeTargets) List() ([]instance.Found, error) {
	var all []instance.Found
	for name := range f {
		all = append(all, instance.Found{
			Name: name, Version: "5.3.3", Processes: []int{11, 12, 13},
			NameServers: []string{"127.0.0.1:9900"},
		})
	}
	return all, nil
}

func (f fakeTargets) Clients(_ context.Context, name string) ([]string, error) {
	return f[name], nil
}

func (f fakeTargets) Remove(_ context.Context, name string) (bool, error) {
	_, was := f[name]
	delete(f, name)
	return was, nil
}

func withTargets(f *fake, local fakeTargets, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	a := newApp(nil, &stdout, &stderr, func(string) (string, bool) { return "", false })
	a.connect = func(context.Context) (remote.Service, error) { return f, nil }
	a.local = local
	out := outcome{code: a.run(context.Background(), args)}
	out.stdout, out.stderr = stdout.String(), stderr.String()
	return out
}

func TestLocalTargetsAreListedWithTheirProcesses(t *testing.T) {
	o := withTargets(&fake{}, fakeTargets{"orders": nil}, "targets")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "11 12 13")
	assert.Contains(t, o.stdout, "rocketshift targets remove NAME")
	o = withTargets(&fake{}, fakeTargets{}, "targets", "-o", "json")
	assert.Equal(t, []any{}, o.document(t)["targets"])
}

func TestALocalTargetIsRemovedOnceAndAgain(t *testing.T) {
	local := fakeTargets{"orders": nil, "payments": nil}
	o := withTargets(&fake{}, local, "targets", "remove", "orders")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "was removed")
	require.Len(t, local, 1)
	o = withTargets(&fake{}, local, "targets", "remove", "orders")
	require.Equal(t, failure.Done, o.code, "what isn't there is removed already: %s", o.stderr)
	assert.Contains(t, o.stdout, "nothing to remove")
}

func TestALocalTargetThatIsUsedStays(t *testing.T) {
	for name, c := range map[string]struct {
		fake    *fake
		clients []string
		code    int
		want    string
	}{
		"by its migration": {
			&fake{running: []string{"migration-orders"}}, nil, failure.BadUsage, "migration-orders run",
		},
		"by a stage alone": {
			&fake{running: []string{"migration-orders-replicate"}}, nil, failure.BadUsage,
			"migration-orders-replicate run",
		},
		"by applications": {
			&fake{},
			[]string{"shop@1 at 10.0.0.7:1, of group billing"},
			failure.BadUsage,
			"1 applications are connected: shop@1",
		},
		"nobody knows": {
			&fake{away: failure.Broken("start it", "temporal doesn't answer")}, nil, failure.Failed, "temporal",
		},
	} {
		local := fakeTargets{"orders": c.clients}
		o := withTargets(c.fake, local, "targets", "remove", "orders")
		assert.Equal(t, c.code, o.code, name)
		assert.Contains(t, o.stderr, c.want, name)
		assert.Len(t, local, 1, name)
	}
	o := withTargets(&fake{away: errors.New("unused")}, fakeTargets{}, "targets", "remove", "../x")
	assert.Equal(t, failure.BadUsage, o.code, "a name that leads out of the folder")
}

// Temporal may be gone when somebody tidies up, and with it whoever could say that nothing runs.
func TestALocalTargetIsRemovedWithoutTemporal(t *testing.T) {
	gone := &fake{away: failure.Broken("start it", "temporal doesn't answer")}
	local := fakeTargets{"orders": nil, "payments": {"shop@1 at 10.0.0.7:1, of group billing"}}
	o := withTargets(gone, local, "targets", "remove", "orders")
	require.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "--without-temporal", "the way out is told")
	require.Len(t, local, 2)

	o = withTargets(gone, local, "targets", "remove", "orders", "--without-temporal", "-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Equal(t, map[string]any{"name": "orders", "removed": true}, o.document(t))
	o = withTargets(gone, local, "targets", "remove", "orders", "-o", "json")
	require.Equal(t, failure.Done, o.code, "what isn't there needs no Temporal: %s", o.stderr)
	assert.Equal(t, map[string]any{"name": "orders", "removed": false}, o.document(t))

	o = withTargets(gone, local, "targets", "remove", "payments", "--without-temporal")
	assert.Equal(t, failure.BadUsage, o.code, "applications are seen without it")
	assert.Contains(t, o.stderr, "1 applications are connected")
	assert.Len(t, local, 1)
}

func TestErrorsOfTargetsAreDocumentsToo(t *testing.T) {
	running := &fake{running: []string{"migration-orders"}}
	o := withTargets(running, fakeTargets{"orders": nil}, "targets", "remove", "orders", "-o", "json")
	require.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.document(t)["error"], "in use: migration-orders run")
	assert.Contains(t, o.document(t)["next"], "rocketshift back orders")
	o = withTargets(&fake{}, fakeTargets{}, "targets", "remove", "-o", "json")
	require.Equal(t, failure.BadUsage, o.code, "a name is needed")
}
