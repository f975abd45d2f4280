package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/printable"
)

// Strangers' connections end for others', and none of theirs for one that has shown a token.
func TestStrangersKeepNobodyOutOfTheControlAPI(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			c := newControl(t)
			at := controlserver.At{}
			access := control.Access{Token: testToken}
			scheme := "http://"
			if secure {
				dir := t.TempDir()
				at.Cert, at.Key = dir+"/tls.crt", dir+"/tls.key"
				certificatestest.Write(t, at.Cert, at.Key, "gateway", 1)
				access.CA, scheme = at.Cert, "https://"
			}
			address := controlOf(t, c, at)
			known := control.NewClient(scheme+address, access)
			_, err := known.State(t.Context())
			require.NoError(t, err)
			var strangers []net.Conn
			for range 2 * controlserver.MostCallers {
				conn, err := net.Dial("tcp", address)
				require.NoError(t, err)
				defer conn.Close()
				strangers = append(strangers, conn)
			}
			for _, conn := range strangers[:controlserver.MostCallers] {
				require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
				_, err := conn.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF, "it went for others")
			}
			reused := false
			trace := withReused(t.Context(), &reused)
			_, err = known.State(trace)
			require.NoError(t, err)
			assert.True(t, reused, "who has shown a token stays")
			_, err = control.NewClient(scheme+address, access).State(t.Context())
			require.NoError(t, err, "and a new one finds a place")
		})
	}
}

// A wrong token ends the connection.
func TestAWrongTokenEndsTheConnection(t *testing.T) {
	address := controlOf(t, newControl(t), controlserver.At{})
	answer, err := http.Get("http://" + address + "/v1/state")
	require.NoError(t, err)
	defer answer.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.True(t, answer.Close)
}

// What clients choose doesn't reach terminals as it is, by lines of the log either.
func TestLinesOfTheLogArePrintable(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(printable.JSONTo(&out), nil))
	log.Warn("a client", "group", "a\u009b31mb\u202e\x1b", "n", 1)
	for _, c := range out.String() {
		assert.True(t, c == '\n' || c >= ' ' && c <= '~', "%q", c)
	}
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "a\u009b31mb\u202e\x1b", line["group"])
}

func withReused(ctx context.Context, reused *bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { *reused = info.Reused },
	})
}
