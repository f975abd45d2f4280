package wire

import (

	//nolint:gosec // the protocol's signature is HMAC-SHA1
	"strings"
	"testing"

	"rocketshift/internal/rocketmq/remoting"

	"github.com/stretchr/testify/require"
)

// A signed send of 1 KB is verified without garbage.
func BenchmarkVerify(b *testing.B) {
	var f, signed Frame
	require.NoError(b, f.Parse(jsonFrame(headers["Java 4.9.7 sends"], strings.Repeat("x", 1000))))
	f.Sign("app", "secret")
	require.NoError(b, signed.Parse(written(&f)))
	mac := remoting.NewMAC("secret")
	b.ReportAllocs()
	for b.Loop() {
		signed.memory = signed.memory[:0] // as before the next frame
		if !signed.SignedWith(mac) {
			b.Fatal("it is signed rightly")
		}
	}
}
