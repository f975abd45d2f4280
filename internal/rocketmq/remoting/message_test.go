package remoting

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sampleMessages() []Message {
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:10911"), netip.MustParseAddrPort("[2001:db8::1]:10911")
	return []Message{
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
			SysFlag:   FlagBornHostV6 | FlagStoreHostV6 | FlagCompressed,
			BornHost:  v6,
			StoreHost: v6,
			Body:      []byte{0, 1, 2},
		},
	}
}

func TestStoredMessagesReadBackAsWritten(t *testing.T) {
	var b []byte
	for _, m := range sampleMessages() {
		b = append(b, EncodeStored(m)...)
	}
	got, err := DecodeMessages(b)
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
	whole := EncodeStored(sampleMessages()[0])
	for cut := 1; cut < len(whole); cut++ {
		_, err := DecodeMessages(whole[:cut])
		require.ErrorIs(t, err, errMessage, "cut at %d", cut)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)-len("KEYS\x01k\x02")-2-len("orders")-2] ^= 0xff // the last byte of the body
	_, err := DecodeMessages(flipped)
	require.ErrorContains(t, err, "body checksum")
}

func FuzzDecodeMessages(f *testing.F) {
	for _, m := range sampleMessages() {
		f.Add(EncodeStored(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := DecodeMessages(b)
		if err != nil {
			return
		}
		for _, m := range got {
			_ = PropertyMap(m.Properties)
			_ = ParseProperties(m.Properties)
		}
	})
}

func TestPropertiesKeepTheirBytesAndReadLikeAJavaClient(t *testing.T) {
	raw := []byte("A\x011\x02B\x01\x02A\x012\x02broken\x02KEYS\x01last")
	require.Equal(t, map[string]string{"A": "2", "KEYS": "last"}, PropertyMap(raw),
		"the last of a name wins, empty values are dropped")
	require.Equal(t, []Property{{"A", "1"}, {"B", ""}, {"A", "2"}, {"KEYS", "last"}}, ParseProperties(raw))
	v, ok := PropertyValue(raw, "A")
	require.True(t, ok)
	require.Equal(t, "2", v)
	_, ok = PropertyValue(raw, "B")
	require.False(t, ok)
	require.Equal(t, "B\x01\x02broken\x02KEYS\x01last", string(WithoutProperty(raw, "A")))
	require.Equal(t, raw, WithoutProperty(raw, "Z"), "nothing to take out: the same bytes")
	require.Equal(t, "KEYS\x01last\x02S\x01v\x02", string(AppendProperty([]byte("KEYS\x01last"), "S", "v")),
		"a missing last separator is added")
}

func FuzzProperties(f *testing.F) {
	f.Add([]byte("A\x011\x02B\x01\x02A\x012\x02broken\x02KEYS\x01last"), "A")
	f.Add([]byte{nameEnd, ValueEnd, nameEnd}, "")
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		if strings.ContainsAny(name, "\x01\x02") || name == "" {
			return
		}
		before := PropertyMap(raw)
		delete(before, name)
		require.Equal(t, before, PropertyMap(WithoutProperty(raw, name)))
		added := AppendProperty(append([]byte(nil), raw...), name, "v")
		got, ok := PropertyValue(added, name)
		require.True(t, ok)
		require.Equal(t, "v", got)
	})
}
