package remoting

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeSlowly is decodeJSONHeader without the scanner.
func decodeSlowly(t *testing.T, header []byte) (Command, bool) {
	t.Helper()
	var h jsonHeader
	if json.Unmarshal(header, &h) != nil {
		return Command{}, false
	}
	c := Command{
		Code:     h.Code,
		Language: h.Language,
		Version:  h.Version,
		Opaque:   h.Opaque,
		Flag:     h.Flag,
		Remark:   h.Remark,
		Fields:   map[string]string{},
	}
	for k, v := range h.ExtFields {
		if v != nil {
			c.Fields[k] = *v
		}
	}
	return c, true
}

func FuzzScannedHeadersReadAsTheOrdinaryDecoderReadsThem(f *testing.F) {
	for _, seed := range []string{
		`{"code":0,"extFields":{"nextBeginOffset":"32","minOffset":"0"},"flag":1,"language":"JAVA","opaque":7,"remark":"FOUND","serializeTypeCurrentRPC":"JSON","version":407}`,
		`{}`, `{"code":-1}`, `{"code":01}`, `{"code":-}`, `{"code":1.5}`, `{"code":99999999999999999999}`, `{"opaque":2147483648}`,
		`{"remark":"a\u0041"}`, `{"remark":"ä"}`, `{"remark":null}`, `{"extFields":{"a":null}}`, `{"extFields":{"a":"1","a":"2"}}`,
		`{"code":1}x`, `{"code":1,}`, `{"code" :1}`, `{"Code":1}`, `{"other":{}}`, `{"extFields":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		var got Command
		if !scanJSONHeader(header, &got) {
			return
		}
		want, valid := decodeSlowly(t, header)
		require.True(t, valid, "%q was read as %+v, and is no JSON", header, got)
		require.Equal(t, want, got)
	})
}

func TestBrokersHeadersAreScanned(t *testing.T) {
	var got Command
	require.True(
		t,
		scanJSONHeader(
			[]byte(
				`{"code":0,"extFields":{"nextBeginOffset":"32"},"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":407}`,
			),
			&got,
		),
	)
	require.Equal(t,
		Command{Language: "JAVA", Version: 407, Opaque: 7, Flag: 1, Fields: map[string]string{"nextBeginOffset": "32"}},
		got)
}
