package apsara

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"
)

const (
	algorithm = "ACS3-HMAC-SHA256"
	// signedFor is how far a request's date may be off.
	signedFor = 15 * time.Minute
	dateForm  = "2006-01-02T15:04:05Z"
)

// verify checks who asks. The refusal says nothing of the secret.
func (c *Cloud) verify(q *request) (refusal answer, bad bool) {
	key, signed, signature, whole := authorization(q.headers.Get("Authorization"))
	secret, known := c.options.Keys[key]
	switch {
	case q.action == "" || q.version == "":
		return fail(http.StatusBadRequest, "MissingAction", "x-acs-action and x-acs-version are mandatory."), true
	case !whole:
		return fail(http.StatusBadRequest, "IncompleteSignature",
			"The request signature does not conform to standards."), true
	case !known:
		return fail(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found."), true
	case c.options.Tokens[key] != q.headers.Get("x-acs-security-token"):
		return fail(http.StatusBadRequest, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."), true
	case digest(q.body) != q.headers.Get("x-acs-content-sha256"):
		return fail(http.StatusBadRequest, "InvalidContentSha256", "x-acs-content-sha256 is not that of the body."), true
	case !slices.Equal(signed, q.toBeSigned()):
		return fail(http.StatusBadRequest, "IncompleteSignature", "SignedHeaders leaves headers out, or isn't sorted."), true
	case !hmac.Equal([]byte(signature), []byte(sign(q, signed, secret))):
		return fail(http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation."), true
	}
	return c.fresh(q)
}

// fresh refuses old requests, and those that came before.
func (c *Cloud) fresh(q *request) (refusal answer, bad bool) {
	now := c.options.Now()
	at, err := time.Parse(dateForm, q.headers.Get("x-acs-date"))
	if err != nil || now.Sub(at).Abs() > signedFor {
		return fail(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."), true
	}
	nonce := q.headers.Get("x-acs-signature-nonce")
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, used := c.nonces[nonce]; used || nonce == "" {
		return fail(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already."), true
	}
	c.nonces[nonce] = now
	for old, when := range c.nonces {
		if now.Sub(when) > 2*signedFor {
			delete(c.nonces, old)
		}
	}
	return answer{}, false
}

// authorization takes the header apart.
func authorization(header string) (key string, signed []string, signature string, whole bool) {
	rest, is := strings.CutPrefix(header, algorithm+" ")
	if !is {
		return "", nil, "", false
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	key, signature = fields["Credential"], fields["Signature"]
	signed = strings.Split(fields["SignedHeaders"], ";")
	return key, signed, signature, key != "" && signature != "" && fields["SignedHeaders"] != ""
}

// toBeSigned are the headers that a signature covers.
func (q *request) toBeSigned() []string {
	names := []string{"host"}
	for name := range q.headers {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-acs-") || name == "content-type" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func (q *request) header(name string) string {
	if name == "host" {
		return q.host
	}
	return strings.TrimSpace(q.headers.Get(name))
}

// sign is what the request's signature must be.
func sign(q *request, signed []string, secret string) string {
	var headers strings.Builder
	for _, name := range signed {
		headers.WriteString(name + ":" + q.header(name) + "\n")
	}
	var query []string
	for _, key := range sortedKeys(q.query) {
		query = append(query, key+"="+escaped(url.QueryEscape(q.query.Get(key))))
	}
	canonical := strings.Join([]string{
		q.method, escaped(q.path), strings.Join(query, "&"), headers.String(), strings.Join(signed, ";"),
		digest(q.body),
	}, "\n")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + digest([]byte(canonical))))
	return hex.EncodeToString(mac.Sum(nil))
}

func sortedKeys(v url.Values) []string {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// escaped turns Go's escapes into those of RFC 3986.
func escaped(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(s)
}
