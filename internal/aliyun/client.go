// Package aliyun buys an instance of ApsaraMQ for RocketMQ 5.x by the cloud's OpenAPIs.
//
// Calls are signed by the vendor's SDK, and go through a transport of our own. What the SDK makes
// of answers isn't used: it takes success:false for success, loses the status of pages, and waits
// for ever. Judge is the one place where answers are judged.
//
// Reads are tried again. A write never is: when nobody knows what became of it, Buy looks for the
// instance first.
package aliyun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	models "github.com/alibabacloud-go/darabonba-openapi/v2/models"
	"github.com/alibabacloud-go/tea/dara"
)

const (
	// callTime bounds one call. The SDK has no limit of its own.
	callTime = 30 * time.Second
	// tries is how often a read is called.
	tries = 6
	// firstPause is the pause before a read is tried again; each further one is twice as long.
	firstPause = 500 * time.Millisecond
)

// Keys are what calls are signed with.
type Keys struct {
	ID, Secret string
	Token      string // of temporary keys
}

// Options say whom to call.
type Options struct {
	Region string
	// Site is where prices are asked: plan.SiteChina or plan.SiteInternational.
	Site string
	// At is a simulator at http://host:port that has all APIs; empty: the cloud's own hosts.
	At string
	// Keys gives the keys for one call.
	Keys func(context.Context) (Keys, error)
	// CallTime bounds one call, Pause is that before the first repetition of a read, and Look the
	// one between looks at a new instance; 0: the usual ones.
	CallTime, Pause, Look time.Duration
	// Unseen is how long a new instance may be unknown to the API that made it; 0: the usual time.
	Unseen time.Duration
}

// Client calls the cloud. It is safe for concurrent use.
type Client struct {
	options Options
	http    *http.Client
	limits  *limits
}

// New returns a client.
func New(o Options) (*Client, error) {
	if o.At != "" {
		at, err := url.Parse(o.At)
		if err != nil || at.Scheme != "http" || at.Host == "" || strings.Trim(at.Path, "/") != "" {
			return nil, fmt.Errorf("the cloud is simulated at http://host:port; %q isn't that", o.At)
		}
		o.At = at.Host
	}
	o.CallTime, o.Pause = cmp.Or(o.CallTime, callTime), cmp.Or(o.Pause, firstPause)
	o.Look, o.Unseen = cmp.Or(o.Look, lookAgain), cmp.Or(o.Unseen, unseen)
	// Each call has a connection of its own: net/http sends a read again by itself when a kept
	// connection breaks, with the same nonce, which the cloud refuses.
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	return &Client{options: o, http: &http.Client{Transport: transport, CheckRedirect: noRedirect}, limits: shared}, nil
}

// noRedirect keeps signed requests from other hosts.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// host is where an API is called.
func (c *Client) host(s service) string {
	if c.options.At != "" {
		return c.options.At
	}
	return s.host(c.options.Region, c.options.Site)
}

// call is one call of an API, with what it is given.
type call struct {
	api
	path  string // what stands for {} in the path
	query map[string]string
	body  any
}

// do calls, and reads the answer's data into out.
func (c *Client) do(ctx context.Context, one call, out any) error {
	pause := c.options.Pause
	for try := 1; ; try++ {
		err := c.once(ctx, one, out)
		var failed *Error
		if err == nil || one.write || try == tries || !errors.As(err, &failed) || !failed.Again() {
			return err
		}
		if ended := wait(ctx, max(pause, failed.After)); ended != nil {
			failed.cause = ended
			return err
		}
		pause *= 2
	}
}

// wait sleeps, unless the context ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once calls once. The error of a caller that is gone says so.
func (c *Client) once(ctx context.Context, one call, out any) error {
	err := c.sent(ctx, one, out)
	var e *Error
	if errors.As(err, &e) && e.cause == nil {
		e.cause = ctx.Err()
	}
	return err
}

// sent calls within the limits and the time of one call.
func (c *Client) sent(ctx context.Context, one call, out any) error {
	host := c.host(one.service)
	if err := c.limits.wait(ctx, host, one.api); err != nil {
		return &Error{Action: one.action, Kind: Unsent, Message: "it wasn't sent: " + err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.CallTime)
	defer cancel()
	keys, err := c.options.Keys(ctx)
	if err != nil {
		return &Error{Action: one.action, Kind: NoKeys, Message: err.Error(), cause: err}
	}
	got := &transport{client: c.http}
	if err := c.send(ctx, host, one, keys, got); err != nil && !got.sent {
		return keys.hide(&Error{Action: one.action, Kind: Unsent, Message: "it wasn't sent: " + err.Error()})
	}
	return keys.hide(judge(one.api, got, out))
}

// send has the SDK sign the call and send it by the transport.
func (c *Client) send(ctx context.Context, host string, one call, keys Keys, by *transport) (err error) {
	defer func() { // its maps are typed by nobody
		if p := recover(); p != nil {
			err = fmt.Errorf("the SDK failed: %v", p)
		}
	}()
	protocol := "HTTPS"
	if c.options.At != "" {
		protocol = "HTTP"
	}
	config := &models.Config{
		AccessKeyId: &keys.ID, AccessKeySecret: &keys.Secret, Endpoint: &host, Protocol: &protocol,
		RegionId: &c.options.Region, HttpClient: by,
	}
	if keys.Token != "" {
		config.SecurityToken = &keys.Token
	}
	sdk, err := openapi.NewClient(config)
	if err != nil {
		return err
	}
	style, path := "RPC", "/"
	if one.api.path != "" {
		style, path = "ROA", strings.Replace(one.api.path, "{}", url.PathEscape(one.path), 1)
	}
	ask := &models.OpenApiRequest{Body: one.body, Query: map[string]*string{}}
	for key, value := range one.query {
		ask.Query[key] = &value
	}
	_, err = sdk.CallApiWithCtx(ctx, &models.Params{
		Action: &one.action, Version: dara.String(one.service.version()), Protocol: &protocol, Pathname: &path,
		Method: &one.method, AuthType: dara.String("AK"), Style: &style, ReqBodyType: dara.String("json"),
		BodyType: dara.String("json"),
	}, ask, &dara.RuntimeOptions{})
	return err
}

// limits are shared by the process, as the cloud counts calls by account.
var shared = &limits{by: map[string]limiter{}}

type limits struct {
	mu sync.Mutex
	by map[string]limiter
	// unlimited is for tests.
	unlimited bool
}
