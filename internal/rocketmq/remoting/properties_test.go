package remoting

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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
	f.Add([]byte{NameEnd, ValueEnd, NameEnd}, "")
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
