package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// Headers that brokers read otherwise than a quick look says. What goes on is what was read, in the
// plain form.
func TestAHeaderThatIsNotPlainGoesOnAsItWasRead(t *testing.T) {
	const rest = `"flag":0,"language":"JAVA","opaque":17,"version":407}`
	for name, c := range map[string]struct {
		header string
		topic  string
	}{
		"a key twice":                {`{"code":310,"extFields":{"b":"orders","e":"3","b":"billing"},` + rest, "billing"},
		"an escaped key":             {`{"code":310,"extFields":{"b":"orders","\u0062":"billing"},` + rest, "billing"},
		"an escaped value":           {`{"code":310,"extFields":{"b":"\u0062illing"},` + rest, "billing"},
		"an escaped key of a member": {`{"code":310,"\u0065xtFields":{"b":"billing"},` + rest, "billing"},
		"a member of another kind":   {`{"code":310,"x":{"extFields":{"b":"orders"}},"extFields":{"b":"billing"},` + rest, "billing"},
		"a code as text":             {`{"code":"310","extFields":{"b":"billing"},` + rest, "billing"},
		"a number":                   {`{"code":310,"extFields":{"b":12},` + rest, "12"},
		"a truth value":              {`{"code":310,"extFields":{"b":true},` + rest, "true"},
		"null after it":              {`{"code":310,"extFields":{"b":"orders","b":null},` + rest, ""},
		"no fields":                  {`{"code":310,"extFields":null,` + rest, ""},
		"spaces":                     {` {"code" : 310, "extFields": {"b" : "billing"}, ` + rest + "\n", "billing"},
		"bytes that are no UTF-8":    {`{"code":310,"extFields":{"b":"billing","i":"` + "\xff" + `"},` + rest, "billing"},
	} {
		t.Run(name, func(t *testing.T) {
			f := parsed(t, jsonFrame(c.header, "body"))
			assert.Equal(t, 310, f.Code)
			assert.Equal(t, c.topic, string(f.Get("b")))
			on := written(f)
			for _, not := range []string{"orders", `\u0062`, "_code", "Code"} {
				assert.NotContains(t, string(on), not)
			}
			again := parsed(t, on)
			assert.False(t, again.rewritten, "what goes on is plain")
			assert.Equal(t, f.Code, again.Code)
			assert.EqualValues(t, 17, again.Opaque)
			assert.Equal(t, "body", string(again.Body))
			assert.Equal(t, len(f.Fields), len(again.Fields))
		})
	}
}

func TestWhatClientsWriteIsPlain(t *testing.T) {
	for name, header := range headers {
		f := parsed(t, jsonFrame(header, ""))
		assert.Equal(t, name == "spaces" || name == "no fields", f.rewritten, name)
	}
	f := parsed(t,
		jsonFrame(`{"code":310,"extFields":{"i":"a\u0001\u00e9\"\\\/\n\u003c\u0026","b":"ü"},"flag":0,"opaque":1}`, ""))
	assert.False(t, f.rewritten, "escapes that no name needs")
}

func TestHeadersThatNobodyCanMeanAreRefused(t *testing.T) {
	const rest = `"flag":0,"opaque":17,"version":407}`
	many := make([]string, MaxFields+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	for name, header := range map[string]string{
		"quotes of another kind":     `{'code':310,` + rest,
		"keys without quotes":        `{code:310,` + rest,
		"an escape of fastjson":      `{"code":310,"extFields":{"b":"\x62"},` + rest,
		"a field that is an object":  `{"code":310,"extFields":{"b":{}},` + rest,
		"a field that is a fraction": `{"code":310,"extFields":{"b":1.5},` + rest,
		"a key with a quote":         `{"code":310,"extFields":{"a\"b":"x"},` + rest,
		"a key that is too long":     `{"code":310,"extFields":{"` + strings.Repeat("k", maxKey+1) + `":"x"},` + rest,
		"too many fields":            `{"code":310,"extFields":{` + strings.Join(many, ",") + `},` + rest,
		"fields twice":               `{"code":310,"extFields":{"b":"orders"},"extFields":{"b":"billing"},` + rest,
		"a member twice":             `{"code":10,"code":310,"extFields":{"b":"billing"},` + rest,
		"a like member":              `{"code":310,"Code":11,"extFields":{"b":"billing"},` + rest,
		"another like member":        `{"code":310,"extFields":{"b":"billing"},"ext_fields":{"b":"orders"},` + rest,
		"a field called @type":       `{"code":310,"extFields":{"@type":"java.util.HashMap"},` + rest,
		"no code":                    `{` + rest,
		"a code of 33 bits":          `{"code":4294967296,` + rest,
		"text after it":              `{"code":310,` + rest + `{}`,
		"nothing":                    ``,
		"a list":                     `[]`,
		"nested without end":         strings.Repeat(`{"a":`, 20_000),
	} {
		var f Frame
		assert.ErrorIs(t, f.Parse(jsonFrame(header, "")), ErrFrame, name)
	}
}

func binaryFrame(fields ...string) []byte {
	h := header{code: 310, opaque: 17, version: 407}
	for i := 0; i+1 < len(fields); i += 2 {
		h.fields = append(h.fields, field{fields[i], fields[i+1]})
	}
	head := h.appendBinary(nil)
	return append(append(appendLengths(nil, 1, len(head), 4), head...), "body"...)
}

func TestABinaryHeaderThatIsNotPlainGoesOnAsItWasRead(t *testing.T) {
	f := parsed(t, binaryFrame("b", "orders", "e", "3", "b", "billing"))
	assert.True(t, f.rewritten)
	assert.Equal(t, "billing", string(f.Get("b")))
	assert.NotContains(t, string(written(f)), "orders")
	f = parsed(t, binaryFrame("b", "orders", "i", "\xff"))
	assert.Equal(t, "\uFFFD", string(f.Get("i")))
	assert.False(t, parsed(t, binaryFrame("b", "orders", "e", "3")).rewritten)
	var bad Frame
	require.ErrorIs(t, bad.Parse(binaryFrame("b\x00", "orders")), ErrFrame)
}

// A header that is too long is refused when its length is known: nothing of it is read, and no
// memory is taken.
func TestAHeaderThatIsTooLongIsNotReadAtAll(t *testing.T) {
	announced := binary.BigEndian.AppendUint32(nil, MaxFrame)
	announced = binary.BigEndian.AppendUint32(announced, MaxHeader+1)
	more := &counting{Reader: bytes.NewReader(make([]byte, MaxFrame))}
	r := NewReader(io.MultiReader(bytes.NewReader(announced), more))
	var f Frame
	require.ErrorIs(t, r.Next(&f), ErrFrame)
	assert.Less(t, more.read, usualBuffer)
}

type counting struct {
	io.Reader
	read int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.read += n
	return n, err
}

func TestAFrameOfManyFieldsLeavesNoMemoryBehind(t *testing.T) {
	var f Frame
	f.memory = make([]byte, 0, mostKept+1)
	require.NoError(t, f.Parse(jsonFrame(headers["client-go sends"], "")))
	assert.LessOrEqual(t, cap(f.memory), mostKept)
}

// A header is read by strangers' will: what it holds is counted, not only what is kept of it.
func TestAHeaderOfManyMembersIsRefusedEarly(t *testing.T) {
	many := func(n int, member func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("," + member(i))
		}
		return b.String()
	}
	odd := func(i int) string { return fmt.Sprintf(`"%x":1`, i) }
	null := func(int) string { return `"a":null` }
	again := func(int) string { return `"a":"b"` }
	for name, c := range map[string]struct {
		few, many string
	}{
		"odd members":     {`"extFields":{}` + many(100, odd), `"extFields":{}` + many(25_000, odd)},
		"fields of null":  {`"extFields":{"b":"c"` + many(400, null) + `}`, `"extFields":{"b":"c"` + many(25_000, null) + `}`},
		"repeated fields": {`"extFields":{"b":"c"` + many(400, again) + `}`, `"extFields":{"b":"c"` + many(25_000, again) + `}`},
	} {
		var f Frame
		require.NoError(t, f.Parse(jsonFrame(`{"code":10,"flag":0,"opaque":1,`+c.few+`}`, "")), name)
		raw := jsonFrame(`{"code":10,"flag":0,"opaque":1,`+c.many+`}`, "")
		require.Less(t, len(raw), MaxHeader, name)
		require.ErrorIs(t, f.Parse(raw), ErrFrame, name)
		allocs := testing.AllocsPerRun(1, func() { _ = f.Parse(raw) })
		assert.Less(t, allocs, 10_000.0, name)
	}
	var f Frame
	require.ErrorIs(t, f.Parse(binaryFrame(slices.Repeat([]string{"a", "b"}, 10_000)...)), ErrFrame)
}

// Texts are unescaped as JSON is.
func FuzzUnescaped(f *testing.F) {
	for _, text := range []string{`a`, `\u0001a\u00e9\"\\\/\n`, `\ud83d\ude00`, `\ud83d`, `\ud83dx`, `\ud83d\u0041`, `ü`, `\t\b\f\r`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want string
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == utf8.RuneError }) ||
			json.Unmarshal([]byte(`"`+text+`"`), &want) != nil {
			return
		}
		assert.Equal(t, want, string(remoting.AppendUnescaped(nil, []byte(text))))
	})
}
