package control

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const someToken = "a-token-of-the-tests"

// The token goes to the gateway that somebody named, and nowhere else.
func TestTheTokenStaysOnItsWay(t *testing.T) {
	var tokens []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	elsewhere := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(elsewhere.Close)
	_, err := NewClient(elsewhere.URL, Access{Token: someToken}).State(t.Context())
	require.ErrorContains(t, err, "307 Temporary Redirect: it sends the caller elsewhere")

	require.Nil(t, transport(Access{}).Proxy, "a proxy of the environment would see it")

	for _, address := range []string{"10.0.0.9:8089", "http://10.0.0.9:8089", "gateway:8089"} {
		_, err = NewClient(address, Access{
			Token: someToken,
			Set:   AccessSettings{Plain: "a setting"},
		}).State(t.Context())
		require.ErrorContains(t, err, "its token would go over a network in plain text")
		require.ErrorContains(t, err, "or allow plain HTTP: a setting")
	}
	for _, address := range []string{
		"ftp://127.0.0.1:1", "https://a:b@gateway:1", "https://",
		"a b:1",
	} {
		_, err = NewClient(address, Access{Token: someToken}).State(t.Context())
		require.ErrorContains(t, err, "want host:port, or https://host:port", address)
	}
	_, err = NewClient("127.0.0.2:1", Access{Token: someToken}).State(t.Context())
	require.ErrorContains(t, err, "doesn't answer")
	assert.Empty(t, tokens)
}

func TestOnlyThisMachineIsThisMachine(t *testing.T) {
	for host, here := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "0.0.0.0": false, "10.0.0.1": false,
		"localhost.example.com": false, "127.0.0.1.example.com": false, "": false,
	} {
		assert.Equal(t, here, onThisMachine(host), host)
	}
}
