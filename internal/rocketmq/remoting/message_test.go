package remoting_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
)

func sampleMessages() []remoting.Message {
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:10911"), netip.MustParseAddrPort("[2001:db8::1]:10911")
	return []remoting.Message{
		{
			Topic:          "orders",
			Queue:          3,
			QueueOffset:    7,
			PhysicalOffset: 4096,
			BornTimestamp:  1,
			StoreTimestamp: 2,
			BornHost:       v4,
			StoreHost:      v4,
			Body:           []byte("hello"),
			Properties:     []byte("KEYS\x01k\x02"),
		},
		{Topic: "empty", BornHost: v4, StoreHost: v4, Flag: -5, ReconsumeTimes: 2, PreparedOffset: 9},
		{
			Topic:     strings.Repeat("t", 200),
			SysFlag:   remoting.FlagBornHostV6 | remoting.FlagStoreHostV6 | remoting.FlagCompressed,
			BornHost:  v6,
			StoreHost: v6,
			Body:      []byte{0, 1, 2},
		},
	}
}

func TestStoredMessagesReadBackAsWritten(t *testing.T) {
	var b []byte
	for _, m := range sampleMessages() {
		b = append(b, remotingtest.Stored(m)...)
	}
	got, err := remoting.AppendMessages(nil, b)
	require.NoError(t, err)
	require.Len(t, got, 3)
	for i, want := range sampleMessages() {
		want.BodyCRC = got[i].BodyCRC
		require.Equal(t, string(want.Body), string(got[i].Body))
		require.Equal(t, string(want.Properties), string(got[i].Properties))
		got[i].Body, got[i].Properties = want.Body, want.Properties
		require.Equal(t, want, got[i])
	}
}

func TestDamagedMessagesAreErrors(t *testing.T) {
	whole := remotingtest.Stored(sampleMessages()[0])
	for cut := 1; cut < len(whole); cut++ {
		_, err := remoting.AppendMessages(nil, whole[:cut])
		require.ErrorIs(t, err, remoting.ErrMessage, "cut at %d", cut)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)-len("KEYS\x01k\x02")-2-len("orders")-2] ^= 0xff // the last byte of the body
	_, err := remoting.AppendMessages(nil, flipped)
	require.ErrorContains(t, err, "body checksum")
}

func FuzzDecodeMessages(f *testing.F) {
	for _, m := range sampleMessages() {
		f.Add(remotingtest.Stored(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := remoting.AppendMessages(nil, b)
		if err != nil {
			return
		}
		for _, m := range got {
			_ = remoting.PropertyMap(m.Properties)
			_ = remoting.ParseProperties(m.Properties)
		}
	})
}
