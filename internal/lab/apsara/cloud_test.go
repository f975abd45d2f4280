package apsara

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const body = `{"serviceCode":"rmq","seriesCode":"standard","subSeriesCode":"cluster_ha","paymentType":"PayAsYouGo",
	"productInfo":{"msgProcessSpec":"rmq.s2.2xlarge"},"networkInfo":{"vpcInfo":{"vpcId":"vpc-lab",
	"vSwitches":[{"vSwitchId":"vsw-lab-a"}]},"internetInfo":{"internetSpec":"disable","flowOutType":"uninvolved"}}}`

// signed is a request as a client signs it, after a change of what is signed.
func signed(method, path, query, body, nonce string) *http.Request {
	r := httptest.NewRequest(method, path+"?"+query, strings.NewReader(body))
	set := func(name, value string) { r.Header.Set(name, value) }
	set("x-acs-action", map[string]string{http.MethodPost: "CreateInstance", http.MethodGet: "ListInstances"}[method])
	set("x-acs-version", rocketMQ)
	set("x-acs-date", time.Now().UTC().Format(dateForm))
	set("x-acs-signature-nonce", nonce)
	set("x-acs-content-sha256", digest([]byte(body)))
	values, _ := url.ParseQuery(query)
	q := &request{method: method, path: path, host: r.Host, headers: r.Header, query: values, body: []byte(body)}
	names := q.toBeSigned()
	set("Authorization", algorithm+" Credential=id,SignedHeaders="+strings.Join(names, ";")+",Signature="+sign(q, names, "secret"))
	return r
}

func ask(t *testing.T, c *Cloud, r *http.Request) (status int, code string, data any) {
	t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	var read struct {
		Code string
		Data any
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &read))
	return w.Code, read.Code, read.Data
}

func TestSignaturesAndNoncesAreChecked(t *testing.T) {
	c := New(Options{Keys: map[string]string{"id": "secret"}})
	defer c.Close()
	status, _, _ := ask(t, c, signed("GET", "/instances", "pageSize=10&filter=a%20b*~", "", "1"))
	require.Equal(t, http.StatusOK, status)
	for code, change := range map[string]func(*http.Request){
		"SignatureNonceUsed":    func(*http.Request) {},
		"SignatureDoesNotMatch": func(r *http.Request) { r.URL.RawQuery = "pageSize=11" },
		"InvalidContentSha256":  func(r *http.Request) { r.Header.Set("x-acs-content-sha256", digest([]byte("x"))) },
		"IncompleteSignature":   func(r *http.Request) { r.Header.Set("x-acs-more", "1") },
		"InvalidAccessKeyId.NotFound": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "=id,", "=other,", 1))
		},
		"InvalidSecurityToken.Malformed": func(r *http.Request) { r.Header.Set("x-acs-security-token", "t") },
	} {
		nonce := code
		if code == "SignatureNonceUsed" {
			nonce = "1"
		}
		r := signed("GET", "/instances", "pageSize=10", "", nonce)
		change(r)
		status, is, _ := ask(t, c, r)
		require.Equal(t, code, is)
		require.GreaterOrEqual(t, status, 400)
	}
	c.options.Now = func() time.Time { return time.Now().Add(time.Hour) }
	_, is, _ := ask(t, c, signed("GET", "/instances", "", "", "late"))
	require.Equal(t, "InvalidTimeStamp.Expired", is)
}

func TestFieldsAndWordsOfAPurchaseAreChecked(t *testing.T) {
	c := New(Options{Keys: map[string]string{"id": "secret"}, Quota: 1})
	defer c.Close()
	for change, code := range map[string]string{
		`"serviceCode":"rmq"|"serviceCode":""`:                      "MissingServiceCode",
		`"standard"|"best"`:                                         "InvalidSeriesCode",
		`"cluster_ha"|"serverless"`:                                 "Missingnull",
		`"PayAsYouGo"|"Subscription"`:                               "MissingPeriod",
		`rmq.s2.2xlarge|`:                                           "InvalidMsgProcessSpec",
		`"vpc-lab"|"vpc-x"`:                                         "InvalidVpcId",
		`"vsw-lab-a"|"vsw-x"`:                                       "InvalidVSwitchId",
		`uninvolved|payByTraffic`:                                   "InvalidFlowOutType",
		`"productInfo":{|"productInfo":{"messageRetentionTime":10,`: "InvalidMessageRetentionTime",
	} {
		old, now, _ := strings.Cut(change, "|")
		require.Contains(t, body, old)
		_, is, _ := ask(t, c, signed("POST", "/instances", "clientToken=a", strings.Replace(body, old, now, 1), change))
		require.Equal(t, code, is, change)
	}
	require.Empty(t, c.Instances())
	_, _, id := ask(t, c, signed("POST", "/instances", "clientToken=a", body, "1"))
	_, _, again := ask(t, c, signed("POST", "/instances", "clientToken=a", body, "2"))
	require.Equal(t, id, again)
	_, code, _ := ask(t, c, signed("POST", "/instances", "clientToken=a", body+" ", "3"))
	require.Equal(t, "IdempotentParameterMismatch", code)
	_, code, _ = ask(t, c, signed("POST", "/instances", "clientToken=b", body, "4"))
	require.Equal(t, "QuotaExceeded.Instance", code)
	require.Len(t, c.Instances(), 1)
}
