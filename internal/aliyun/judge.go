package aliyun

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// largestAnswer is far more than any of these calls answers.
const largestAnswer = 4 << 20

// transport is the SDK's http client for one call. It keeps the answer, and tells the SDK an empty
// one.
type transport struct {
	client *http.Client
	sent   bool
	status int
	header http.Header
	body   []byte
	err    error // the answer didn't come, or not whole
}

// Call sends the request that the SDK has signed.
func (t *transport) Call(r *http.Request, _ *http.Transport) (*http.Response, error) {
	t.sent = true
	answer, err := t.client.Do(r)
	if err != nil {
		t.err = plain(err)
		return nil, t.err
	}
	defer answer.Body.Close()
	t.status, t.header = answer.StatusCode, answer.Header
	if t.body, err = io.ReadAll(io.LimitReader(answer.Body, largestAnswer)); err != nil {
		t.err = plain(err)
		return nil, t.err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader([]byte("{}"))), Request: r,
	}, nil
}

// plain leaves the request's address out: parameters are in it.
func plain(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// envelope is what all answers have, in either spelling.
type envelope struct {
	RequestID string
	Success   *bool
	Code      string
	Message   string
	Data      json.RawMessage
	Denied    struct{ AuthAction string }
}

// judge says what an answer means. One that can't be read says nothing of what was done.
func judge(a api, t *transport, out any) error {
	unclear := func(text string) *Error {
		return &Error{Action: a.action, Kind: Unclear, Status: t.status, Message: text}
	}
	if t.err != nil {
		return unclear("no whole answer came: " + t.err.Error())
	}
	e, whole := open(t.body)
	if kind, _, _ := mime.ParseMediaType(t.header.Get("Content-Type")); !whole || !strings.HasSuffix(kind, "json") {
		return unclear("the answer is no document of the API, but " + kind)
	}
	failed := &Error{
		Action: a.action, Status: t.status, Code: e.Code, RequestID: e.RequestID, Message: e.Message,
		Right: e.Denied.AuthAction,
		After: after(t.header),
	}
	switch {
	case t.status >= http.StatusBadRequest:
		failed.Kind = kindOf(t.status, e.Code)
		if failed.Kind == Denied && failed.Right == "" {
			failed.Right = a.right
		}
		return failed
	case t.status != http.StatusOK:
		return unclear("it was answered with this status")
	case e.Success != nil && !*e.Success:
		failed.Kind = kindOf(t.status, e.Code)
		return failed
	}
	content := e.Data
	if a.path == "" && len(content) == 0 { // RPC has its fields at the top
		content = t.body
	}
	if len(content) == 0 || string(content) == "null" || json.Unmarshal(content, out) != nil {
		return unclear("the answer holds nothing that can be read")
	}
	return nil
}

// open reads the envelope; keys differ in their capitals between APIs.
func open(body []byte) (e envelope, whole bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return e, false
	}
	for key, value := range fields {
		var into any
		switch strings.ToLower(key) {
		case "requestid":
			into = &e.RequestID
		case "success":
			into = &e.Success
		case "code":
			into = &e.Code
		case "message":
			into = &e.Message
		case "accessdenieddetail":
			into = &e.Denied
		case "data":
			e.Data = value
			continue
		default:
			continue
		}
		_ = json.Unmarshal(value, into) // one of another kind says nothing
	}
	return e, true
}

// after is how long the cloud asks to wait.
func after(h http.Header) time.Duration {
	for _, name := range []string{"X-Ratelimit-User-Api", "X-Ratelimit-User"} {
		for _, field := range strings.Split(h.Get(name), ",") {
			key, value, _ := strings.Cut(strings.TrimSpace(field), ":")
			if ms, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && strings.EqualFold(key, "TimeLeft") {
				return min(time.Duration(ms)*time.Millisecond, longestAfter)
			}
		}
	}
	return 0
}

// longestAfter bounds what the cloud asks for.
const longestAfter = time.Minute
