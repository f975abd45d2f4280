package bodies

import (
	"bytes"
	"unicode/utf8"

	"rocketshift/internal/gateway/wire"
)

// NoRoute is what TranslateRoute returns instead of an address for JSON that clients may read
// otherwise.
const NoRoute = "(an answer that isn't understood)"

// TranslateRoute replaces the addresses of brokers in a route or in a cluster's description. It
// takes JSON as servers of all versions write it: fastjson has brokers' ids with or without quotes.
// The result is whole or nothing: an address that isn't known is returned instead, or NoRoute.
func TranslateRoute(body []byte, known map[string]string) (out []byte, unknown string) {
	if !utf8.Valid(body) {
		return nil, NoRoute
	}
	out = make([]byte, 0, len(body)+len(body)/4) // addresses may grow
	r := routeReader{in: body, out: out, known: known}
	if !r.object(r.value) || len(r.in) > 0 {
		if r.unknown == "" {
			r.unknown = NoRoute
		}
		return nil, r.unknown
	}
	return r.out, ""
}

// routeReader copies JSON while it takes it, with other addresses. Its methods report whether it is
// as servers write it.
type routeReader struct {
	in, out []byte
	known   map[string]string
	unknown string // an address that isn't known
	depth   int
}

// BrokerAddrs is the member of BrokerData that has its addresses.
const BrokerAddrs = "brokerAddrs"

var routeNames = wire.NamesOf(BrokerAddrs)

// copy takes so many bytes, and leaves out the white space after them, which servers don't write
// and clients needn't see.
func (r *routeReader) copy(n int) {
	r.out = append(r.out, r.in[:n]...)
	r.in = bytes.TrimLeft(r.in[n:], " \t\r\n")
}

func (r *routeReader) take(c byte) bool {
	if len(r.in) == 0 || r.in[0] != c {
		return false
	}
	r.copy(1)
	return true
}

// object takes an object; member takes the value of each key.
func (r *routeReader) object(member func(key string) bool) bool {
	if r.depth++; r.depth > MostDepth || !r.take('{') {
		return false
	}
	for first := true; ; first = false {
		if first && r.take('}') {
			break
		}
		key, ok := r.key()
		if !ok || !r.take(':') || !member(key) {
			return false
		}
		if r.take('}') {
			break
		}
		if !r.take(',') {
			return false
		}
	}
	r.depth--
	return true
}

// key takes the key of a member: a text without escapes, or a whole number without quotes.
func (r *routeReader) key() (string, bool) {
	n := r.digits()
	if n == 0 {
		n = r.text()
		if n < 3 || r.in[1] == '@' || r.in[1] == '$' || bytes.IndexByte(r.in[:n], '\\') >= 0 {
			// Names of brokers and clusters have none of these; fastjson obeys @type and $ref.
			return "", false
		}
	}
	key := string(bytes.Trim(r.in[:n], `"`))
	meant, any := routeNames.Means(key)
	r.copy(n)
	return key, !any || meant == key
}

// value takes the value of a member.
func (r *routeReader) value(key string) bool {
	if key == BrokerAddrs && !bytes.HasPrefix(r.in, []byte("null")) {
		return r.object(func(string) bool { return r.address() })
	}
	return r.any()
}

// address takes a broker's address, and puts the one in its place that it has here.
func (r *routeReader) address() bool {
	n := r.text()
	if n == 0 {
		return false
	}
	here := r.known[string(r.in[1:n-1])]
	if here == "" {
		r.unknown = string(r.in[1 : n-1])
		return false
	}
	r.out = append(append(append(r.out, '"'), here...), '"')
	r.in = bytes.TrimLeft(r.in[n:], " \t\r\n")
	return true
}

// any takes any value.
func (r *routeReader) any() bool {
	if len(r.in) == 0 {
		return false
	}
	switch r.in[0] {
	case '{':
		return r.object(r.value)
	case '[':
		return r.list()
	case '"':
		n := r.text()
		r.copy(n)
		return n > 0
	}
	for _, word := range []string{"null", "true", "false"} {
		if bytes.HasPrefix(r.in, []byte(word)) {
			r.copy(len(word))
			return true
		}
	}
	n := r.digits()
	r.copy(n)
	return n > 0
}

func (r *routeReader) list() bool {
	if r.depth++; r.depth > MostDepth || !r.take('[') {
		return false
	}
	for first := true; ; first = false {
		if first && r.take(']') {
			break
		}
		if !r.any() {
			return false
		}
		if r.take(']') {
			break
		}
		if !r.take(',') {
			return false
		}
	}
	r.depth--
	return true
}

// digits is how long the whole number is that comes; 0 if there is none.
func (r *routeReader) digits() (n int) {
	if len(r.in) > 0 && r.in[0] == '-' {
		n = 1
	}
	begin := n
	for n < len(r.in) && r.in[n] >= '0' && r.in[n] <= '9' {
		n++
	}
	if n == begin {
		return 0
	}
	return n
}

// text is how long the text is that comes, with its quotes; 0 if there is none.
func (r *routeReader) text() int {
	if len(r.in) == 0 || r.in[0] != '"' {
		return 0
	}
	for n := 1; n < len(r.in); n++ {
		switch c := r.in[n]; {
		case c == '"':
			return n + 1
		case c == '\\':
			n++
		case c < ' ':
			return 0
		}
	}
	return 0
}
