// Package standins has activities for clusters that aren't there. Tests and recordings run the real
// workflows with them on a real Temporal server: quick, and the same each time.
//
// Every activity of rocketshift is there under its own name, with its own request and result. It
// answers as a quiet pair of clusters does, unless a test gives it another answer, for one
// migration.
package standins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"rocketshift/activities"
	"rocketshift/plan"
)

// soon is the pause before an activity that isn't ready is tried again: long enough for a history
// to show attempts, short enough for a test.
const soon = 250 * time.Millisecond

// Activities are what workers register. Clusters of any number of migrations are behind them.
type Activities struct {
	mu       sync.Mutex
	clusters map[string]*Clusters // by the migration's name
}

// Clusters answer for one migration.
type Clusters struct {
	mu      sync.Mutex
	answers map[string]reflect.Value
	calls   map[string]int
	grown   chan struct{} // closed at the next call
}

// New returns activities for migrations that nobody has spoken of yet.
func New() *Activities { return &Activities{clusters: map[string]*Clusters{}} }

// realStructs are those whose methods are activities.
func realStructs() []any {
	return []any{
		&activities.Assess{}, &activities.Purchase{}, &activities.Metadata{},
		&activities.Replication{}, &activities.Offsets{}, &activities.Verifier{},
		&activities.Traffic{}, &activities.Returns{}, &activities.Gateways{},
		&activities.Ledgers{}, &activities.Reports{}, &activities.Plans{},
	}
}

// Of are the clusters of the migration of that name.
func (a *Activities) Of(migration string) *Clusters {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.clusters[migration]
	if c == nil {
		c = &Clusters{calls: map[string]int{}, grown: make(chan struct{})}
		c.answers = c.quiet()
		a.clusters[migration] = c
	}
	return c
}

// Register adds every activity to a worker.
func (a *Activities) Register(r worker.ActivityRegistry) {
	for _, real := range realStructs() {
		value := reflect.ValueOf(real)
		for i := range value.NumMethod() {
			name, kind := value.Type().Method(i).Name, value.Method(i).Type()
			play := func(in []reflect.Value) []reflect.Value { return a.play(name, kind, in) }
			r.RegisterActivityWithOptions(reflect.MakeFunc(kind, play).Interface(),
				activity.RegisterOptions{Name: name})
		}
	}
}

// play answers one call.
func (a *Activities) play(name string, kind reflect.Type, in []reflect.Value) []reflect.Value {
	c := a.Of(migrationOf(in[1]))
	c.mu.Lock()
	c.calls[name]++
	close(c.grown)
	c.grown = make(chan struct{})
	answer, given := c.answers[name]
	c.mu.Unlock()
	if given {
		return answer.Call(in)
	}
	out := make([]reflect.Value, kind.NumOut())
	for i := range out {
		out[i] = reflect.Zero(kind.Out(i))
	}
	return out
}

// migrationOf is the name of the migration that a request is of.
func migrationOf(request reflect.Value) string {
	switch r := request.Interface().(type) {
	case activities.ReportRequest:
		return r.Name
	case activities.PlanRequest:
		var named struct {
			Name string `json:"name"`
		}
		_ = json.Unmarshal(r.Plan, &named)
		return named.Name
	}
	p, _ := request.FieldByName("Plan").Interface().(plan.Plan)
	return p.Name
}

// Answer sets what an activity answers from now on: a function with the activity's own signature.
func (c *Clusters) Answer(name string, answer any) {
	value := reflect.ValueOf(answer)
	for _, real := range realStructs() {
		method := reflect.ValueOf(real).MethodByName(name)
		if !method.IsValid() {
			continue
		}
		if method.Type() != value.Type() {
			panic(fmt.Sprintf("standins: %s is %s, the answer is %s", name, method.Type(), value.Type()))
		}
		c.mu.Lock()
		c.answers[name] = value
		c.mu.Unlock()
		return
	}
	panic("standins: there is no activity " + name)
}

// Fail makes an activity fail with an error until restore is called.
func (c *Clusters) Fail(name string, err error) (restore func()) {
	c.mu.Lock()
	before, given := c.answers[name]
	c.mu.Unlock()
	c.Answer(name, failing(name, err))
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if delete(c.answers, name); given {
			c.answers[name] = before
		}
	}
}

// failing is an activity of that name that fails.
func failing(name string, err error) any {
	for _, real := range realStructs() {
		method := reflect.ValueOf(real).MethodByName(name)
		if !method.IsValid() {
			continue
		}
		kind := method.Type()
		return reflect.MakeFunc(kind, func([]reflect.Value) []reflect.Value {
			out := make([]reflect.Value, kind.NumOut())
			for i := range out {
				out[i] = reflect.Zero(kind.Out(i))
			}
			out[len(out)-1] = reflect.ValueOf(&err).Elem()
			return out
		}).Interface()
	}
	panic("standins: there is no activity " + name)
}

// Hold makes an activity wait, as one whose condition isn't so yet, until release is called.
func (c *Clusters) Hold(name string) (release func()) {
	return c.Fail(name, NotYet("a test holds it"))
}

// Calls is how often an activity was tried so far.
func (c *Clusters) Calls(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[name]
}

// Called waits until an activity has been tried so many times.
func (c *Clusters) Called(ctx context.Context, name string, times int) error {
	for {
		c.mu.Lock()
		calls, grown := c.calls[name], c.grown
		c.mu.Unlock()
		if calls >= times {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return fmt.Errorf("activity %s was tried %d times, wanted %d: %w", name, calls, times, ctx.Err())
		}
	}
}

// NotYet is what a wait fails with while it isn't over.
func NotYet(text string) error { return Retried(text, activities.NotReadyType) }

// Retried is an error that Temporal tries again soon.
func Retried(text, kind string) error {
	return temporal.NewApplicationErrorWithOptions(text, kind,
		temporal.ApplicationErrorOptions{NextRetryDelay: soon})
}

// Lasting is an error that stays.
func Lasting(text, kind string) error {
	return temporal.NewNonRetryableApplicationError(text, kind, errors.New("a test wants it"))
}
