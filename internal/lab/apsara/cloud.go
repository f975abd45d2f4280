// Package apsara simulates the OpenAPIs of ApsaraMQ for RocketMQ 5.x by which an instance is
// bought: RocketMQ 2022-08-01, and what is asked of VPC, ECS and the prices of BSS.
//
// It is strict where the cloud is: signatures, nonces, required fields and words. It has its
// envelopes and error codes as far as they are documented, and can be told to misbehave. An
// instance is backed by Servers: real ones of the lab, or none. What the real cloud does
// otherwise isn't shown by it.
package apsara

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options say what the simulated account has.
type Options struct {
	Region string // default cn-hangzhou
	// Keys are the access keys of the account: the secrets by their ids.
	Keys map[string]string
	// Tokens are the security tokens of keys that are temporary, by the keys' ids.
	Tokens map[string]string
	// Rights are the RAM actions that the keys have; nil: all of them.
	Rights []string
	// Networks are the VPCs of the region; none: DefaultNetworks.
	Networks []Network
	// Prices are what an hour costs, or a month, by the commodity's code. A commodity without one
	// has no pricing modules.
	Prices map[string]Price
	// Servers back the instances; nil: nothing does, and endpoints are made up.
	Servers Servers
	// Creating is how long an instance stays CREATING beside the start of its servers.
	Creating time.Duration
	// Quota is how many instances the account may have; 0: any number.
	Quota int
	// TagsLate says that instances can't be found by tags before they are RUNNING.
	TagsLate bool
	// TokenLife is how long a client token gives the same instance; 0: for ever.
	TokenLife time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Network is a VPC, with what lies in it.
type Network struct {
	VPC            string
	VSwitches      []string
	SecurityGroups []string
	Pending        bool // not yet Available
}

// DefaultNetworks are those of Options without any.
func DefaultNetworks() []Network {
	return []Network{{VPC: "vpc-lab", VSwitches: []string{"vsw-lab-a", "vsw-lab-b"}, SecurityGroups: []string{"sg-lab"}}}
}

// Price is what a module of a commodity costs.
type Price struct {
	Unit     string // Hour, Month or Usage
	Amount   float64
	Currency string
}

// Cloud is a simulated account. It is an http.Handler for all of its APIs.
type Cloud struct {
	options Options
	life    context.Context
	end     context.CancelFunc
	work    sync.WaitGroup // starts of servers

	mu        sync.Mutex
	instances []*instance
	tokens    map[string]given
	nonces    map[string]time.Time
	calls     []Call
	faults    []Misbehaviour
	nextID    int
}

// Call is one that reached the cloud.
type Call struct {
	Action string
	Status int  // of the answer; 0 if none was given
	Wrote  bool // it changed something
}

// New returns a cloud; Close ends it.
func New(o Options) *Cloud {
	if o.Region == "" {
		o.Region = "cn-hangzhou"
	}
	if o.Networks == nil {
		o.Networks = DefaultNetworks()
	}
	if o.Servers == nil {
		o.Servers = None{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Cloud{options: o, tokens: map[string]given{}, nonces: map[string]time.Time{}}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Close ends what the cloud runs, with the servers of all instances.
func (c *Cloud) Close() error {
	c.end()
	c.work.Wait()
	c.mu.Lock()
	all := slices.Clone(c.instances)
	c.mu.Unlock()
	var first error
	for _, one := range all {
		if err := c.options.Servers.Stop(one.id); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Calls are all calls so far.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

// Count is how many calls of an action there were.
func (c *Cloud) Count(action string) (n int) {
	for _, call := range c.Calls() {
		if call.Action == action {
			n++
		}
	}
	return n
}

// Instances are the ids of instances that aren't released, in the order of their purchase.
func (c *Cloud) Instances() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, one := range c.instances {
		if one.status != released {
			ids = append(ids, one.id)
		}
	}
	return ids
}

// ServeHTTP answers a call as the cloud would, or as it was told to misbehave.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := readRequest(r)
	if err != nil {
		fail(http.StatusBadRequest, "InvalidParameter", "the request can't be read").write(w, q)
		return
	}
	c.mu.Lock()
	c.calls = append(c.calls, Call{Action: q.action})
	at := len(c.calls) - 1
	now := c.faultOf(q.action)
	c.mu.Unlock()
	status := 0
	defer func() { // also when the answer is cut off
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls[at].Status, c.calls[at].Wrote = status, q.wrote
	}()
	status = c.serve(w, r, q, now)
}

// serve returns the status of the answer; 0 if none was given.
func (c *Cloud) serve(w http.ResponseWriter, r *http.Request, q *request, now Misbehaviour) int {
	if before, is := now.Fault.before(); is {
		now.happens()
		return before(w, r, q)
	}
	a := c.answer(q)
	now.happens()
	if after, is := now.Fault.after(); is && a.status == http.StatusOK {
		return after(w, r, q)
	}
	return a.write(w, q)
}

// answer does what is asked for, if the request is right.
func (c *Cloud) answer(q *request) answer {
	if refusal, bad := c.verify(q); bad {
		return refusal
	}
	op, known := operations[q.version+" "+q.action]
	if !known {
		return fail(http.StatusNotFound, "InvalidAction.NotFound",
			"Specified api is not found, please check your url and method.")
	}
	if op.method != q.method || op.pattern != "" && !op.matches(q) {
		return fail(http.StatusNotFound, "InvalidAction.NotFound", "the path or method is not that of "+q.action)
	}
	if !c.may(op.right) {
		return c.denied(op.right)
	}
	return op.do(c, q)
}

func (c *Cloud) may(right string) bool {
	return c.options.Rights == nil || slices.Contains(c.options.Rights, right)
}
