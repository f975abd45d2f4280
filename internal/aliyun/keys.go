package aliyun

import (
	"context"
	"errors"
	"sync"

	"github.com/aliyun/credentials-go/credentials"
)

// KeyPrefix is how the variables begin that the vendor's chain of keys reads first.
const KeyPrefix = "ALIBABA_CLOUD"

// Chain finds keys as the vendor's own programs do: variables of the environment, a role by OIDC,
// the profile of the vendor's command line, the role of the machine, a URI.
type Chain struct {
	mu    sync.Mutex
	found credentials.Credential
	// make is the vendor's chain.
	make func() (credentials.Credential, error)
}

// NewChain returns the vendor's chain.
func NewChain() *Chain {
	return &Chain{make: func() (credentials.Credential, error) { return credentials.NewCredential(nil) }}
}

// Keys returns those for one call; temporary ones are renewed in time.
func (c *Chain) Keys(ctx context.Context) (Keys, error) {
	type answer struct {
		keys Keys
		err  error
	}
	done := make(chan answer, 1)
	go func() { // the chain knows no contexts, and may ask a machine that doesn't answer
		keys, err := c.keys()
		done <- answer{keys, err}
	}()
	select {
	case a := <-done:
		return a.keys, a.err
	case <-ctx.Done():
		return Keys{}, ctx.Err()
	}
}

// errNoKeys says nothing of the cause: the chain tells what it read.
var errNoKeys = errors.New("no keys of Alibaba Cloud are found where the worker runs: set " + KeyPrefix +
	"_ACCESS_KEY_ID and " + KeyPrefix + "_ACCESS_KEY_SECRET there, or give the machine or its service account a role, " +
	"and restart the worker")

func (c *Chain) keys() (Keys, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found == nil {
		found, err := c.make()
		if err != nil {
			return Keys{}, errNoKeys
		}
		c.found = found
	}
	model, err := c.found.GetCredential()
	if err != nil || model == nil || model.AccessKeyId == nil || model.AccessKeySecret == nil {
		c.found = nil // after a failure the vendor's object asks only the last provider, for ever
		return Keys{}, errNoKeys
	}
	keys := Keys{ID: *model.AccessKeyId, Secret: *model.AccessKeySecret}
	if model.SecurityToken != nil {
		keys.Token = *model.SecurityToken
	}
	return keys, nil
}
