package apsara

import (
	"fmt"
	"net/http"
)

// Fault is a way to misbehave.
type Fault string

// Ways to misbehave. Those that begin with After do what is asked for, and then hide it.
const (
	Throttled      Fault = "throttled"       // refused, as there were too many calls
	Busy           Fault = "busy"            // refused with 503
	Cut            Fault = "cut"             // the connection ends before anything is done
	HTML           Fault = "html"            // a page of a load balancer, with 502
	Unsuccessful   Fault = "unsuccessful"    // 200 with success:false, and nothing was done
	OverQuota      Fault = "over-quota"      // refused for good
	Denied         Fault = "denied"          // refused by RAM
	Echo           Fault = "echo"            // refused with a text that holds all headers
	AfterLost      Fault = "after-lost"      // the connection ends without an answer
	AfterSlow      Fault = "after-slow"      // no answer until the caller gives up
	AfterHTML      Fault = "after-html"      // 200 with a page
	AfterError     Fault = "after-error"     // 500
	AfterFalse     Fault = "after-false"     // 200 with success:false
	AfterNothing   Fault = "after-nothing"   // 200 with data:null
	AfterTruncated Fault = "after-truncated" // half of a JSON document
)

// Faults are all ways to misbehave.
func Faults() []Fault {
	return []Fault{
		Throttled, Busy, Cut, HTML, Unsuccessful, OverQuota, Denied, Echo,
		AfterLost, AfterSlow, AfterHTML, AfterError, AfterFalse, AfterNothing, AfterTruncated,
	}
}

// Misbehaviour says when a fault happens.
type Misbehaviour struct {
	Fault  Fault
	Action string // empty: any
	Call   int    // the how manieth of that action, or of all calls, from 1 on; 0: each
	Then   func() // is called when the fault happens, before the caller notices; nil: nothing is
}

// Misbehave replaces what the cloud was told before. Calls are counted from the beginning of the
// cloud.
func (c *Cloud) Misbehave(all ...Misbehaviour) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = all
}

// faultOf is that of the call that was just noted.
func (c *Cloud) faultOf(action string) Misbehaviour {
	same := 0
	for _, call := range c.calls {
		if call.Action == action {
			same++
		}
	}
	for _, m := range c.faults {
		number := len(c.calls)
		if m.Action != "" {
			number = same
		}
		if (m.Action == "" || m.Action == action) && (m.Call == 0 || m.Call == number) {
			return m
		}
	}
	return Misbehaviour{}
}

func (m Misbehaviour) happens() {
	if m.Then != nil {
		m.Then()
	}
}

// misbehaves answers in place of the cloud, and returns the status.
type misbehaves func(http.ResponseWriter, *http.Request, *request) int

// before is what happens instead of the deed.
func (f Fault) before() (misbehaves, bool) {
	refuse := func(a answer) misbehaves {
		return func(w http.ResponseWriter, _ *http.Request, q *request) int { return a.write(w, q) }
	}
	switch f {
	case Throttled:
		return refuse(fail(http.StatusBadRequest, "Throttling.User", "Request was denied due to user flow control.")), true
	case Busy:
		return refuse(fail(http.StatusServiceUnavailable, "ServiceUnavailable", "The server failed for a moment.")), true
	case OverQuota:
		return refuse(fail(http.StatusBadRequest, "QuotaExceeded.Instance", "The quota of instances is exceeded.")), true
	case Denied:
		return func(w http.ResponseWriter, _ *http.Request, q *request) int {
			return (*Cloud)(nil).denied(operations[q.version+" "+q.action].right).write(w, q)
		}, true
	case Echo:
		return func(w http.ResponseWriter, r *http.Request, q *request) int {
			return fail(http.StatusBadRequest, "SignatureDoesNotMatch", fmt.Sprint(r.Header, r.URL, string(q.body))).write(w, q)
		}, true
	case Unsuccessful:
		return unsuccessful, true
	case HTML:
		return page(http.StatusBadGateway), true
	case Cut:
		return cut, true
	default:
		return nil, false
	}
}

// after is what happens instead of the answer.
func (f Fault) after() (misbehaves, bool) {
	switch f {
	case AfterLost:
		return cut, true
	case AfterSlow:
		return func(_ http.ResponseWriter, r *http.Request, _ *request) int {
			<-r.Context().Done() // the caller gave up
			return 0
		}, true
	case AfterHTML:
		return page(http.StatusOK), true
	case AfterError:
		return func(w http.ResponseWriter, _ *http.Request, q *request) int {
			return fail(http.StatusInternalServerError, "InternalError", "The request has failed.").write(w, q)
		}, true
	case AfterFalse:
		return unsuccessful, true
	case AfterNothing:
		return raw(`{"requestId":"nothing","success":true,"code":"200","data":null}`), true
	case AfterTruncated:
		return raw(`{"requestId":"trunc`), true
	default:
		return nil, false
	}
}

func unsuccessful(w http.ResponseWriter, _ *http.Request, q *request) int {
	text := `{"requestId":"false","success":false,"code":"SystemError","message":"system busy"}`
	if q.isRPC() {
		text = `{"RequestId":"false","Success":false,"Code":"SystemError","Message":"system busy"}`
	}
	return raw(text)(w, nil, q)
}

func raw(text string) misbehaves {
	return func(w http.ResponseWriter, _ *http.Request, _ *request) int {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text)) // the caller may be gone
		return http.StatusOK
	}
}

func page(status int) misbehaves {
	return func(w http.ResponseWriter, _ *http.Request, _ *request) int {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><body>The page is away for a moment.</body></html>")) // as above
		return status
	}
}

// cut ends the connection.
func cut(http.ResponseWriter, *http.Request, *request) int {
	panic(http.ErrAbortHandler)
}
