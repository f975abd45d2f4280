package apsara

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const largestBody = 1 << 20

// request is one as the OpenAPIs read it.
type request struct {
	method, path, host string
	action, version    string
	query              url.Values
	headers            http.Header
	body               []byte
	parts              []string // what the path has where its pattern has {}
	wrote              bool     // answering it has changed something
}

func readRequest(r *http.Request) (*request, error) {
	q := &request{
		method: r.Method, path: r.URL.EscapedPath(), host: r.Host, headers: r.Header, query: r.URL.Query(),
		action: r.Header.Get("x-acs-action"), version: r.Header.Get("x-acs-version"),
	}
	var err error
	q.body, err = io.ReadAll(io.LimitReader(r.Body, largestBody))
	return q, err
}

// isRPC reports whether the API answers with fields that begin with capitals.
func (q *request) isRPC() bool { return q.version != rocketMQ }

// operation is one call of an API.
type operation struct {
	method  string
	pattern string // of the path, with {} for ids; empty: all is in the query
	right   string // the RAM action
	do      func(*Cloud, *request) answer
}

// matches compares the path, and notes its ids.
func (o operation) matches(q *request) bool {
	wanted, is := strings.Split(o.pattern, "/"), strings.Split(q.path, "/")
	if len(wanted) != len(is) {
		return false
	}
	q.parts = nil
	for i := range wanted {
		if wanted[i] == "{}" {
			id, err := url.PathUnescape(is[i])
			if err != nil || id == "" {
				return false
			}
			q.parts = append(q.parts, id)
		} else if wanted[i] != is[i] {
			return false
		}
	}
	return true
}

// Versions of the APIs.
const (
	rocketMQ = "2022-08-01"
	vpc      = "2016-04-28"
	ecs      = "2014-05-26"
	bss      = "2017-12-14"
)

// operations are the calls that are known, by version and action.
var operations = map[string]operation{
	rocketMQ + " CreateInstance": {http.MethodPost, "/instances", "rocketmq:CreateInstance", (*Cloud).create},
	rocketMQ + " ListInstances":  {http.MethodGet, "/instances", "rocketmq:ListInstances", (*Cloud).list},
	rocketMQ + " GetInstance":    {http.MethodGet, "/instances/{}", "rocketmq:GetInstance", (*Cloud).get},
	rocketMQ + " DeleteInstance": {http.MethodDelete, "/instances/{}", "rocketmq:DeleteInstance", (*Cloud).remove},
	vpc + " DescribeVpcs":        {http.MethodPost, "", "vpc:DescribeVpcs", (*Cloud).vpcs},
	vpc + " DescribeVSwitches":   {http.MethodPost, "", "vpc:DescribeVSwitches", (*Cloud).vSwitches},
	ecs + " DescribeSecurityGroups": {
		http.MethodPost, "", "ecs:DescribeSecurityGroups", (*Cloud).securityGroups,
	},
	bss + " DescribePricingModule": {http.MethodPost, "", "bss:DescribePrice", (*Cloud).pricingModule},
	bss + " GetPayAsYouGoPrice":    {http.MethodPost, "", "bss:DescribePrice", (*Cloud).hourlyPrice},
	bss + " GetSubscriptionPrice":  {http.MethodPost, "", "bss:DescribePrice", (*Cloud).monthlyPrice},
}

// decode reads the JSON body.
func (q *request) decode(into any) error { return json.Unmarshal(q.body, into) }
