package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/lab/javareader"
)

// stockHeaders are headers as Java, Go and C++ clients and brokers write them.
func stockHeaders(tb testing.TB) []string {
	return javareader.Texts(tb, "testdata/corpus/stock-headers.txt")
}

func TestHeadersOfStockClientsAreTaken(t *testing.T) {
	for _, header := range stockHeaders(t) {
		f := parsed(t, jsonFrame(header, "body"))
		assert.False(t, f.Signed(), header)
		if f.Code == 310 {
			assert.Equal(t, "orders", string(f.Get("b")))
			assert.Equal(t, "3", string(f.Get("e")), "a number in C++")
		}
	}
}

// oddHeaders are headers that no stock client writes: those in files, each a text of Go in a line
// of its own, and deep ones.
func oddHeaders(tb testing.TB) (all []string) {
	for _, fields := range javareader.Texts(tb, "testdata/corpus/odd-fields.txt") {
		all = append(all,
			`{"code":310,"extFields":`+fields+`,"flag":0,"opaque":17,"version":407}`)
	}
	for _, n := range []int{20, 600} {
		nested := strings.Repeat("[", n) + strings.Repeat("]", n)
		all = append(all, `{"code":310,"x":`+nested+`,"flag":0,"opaque":17}`)
	}
	return append(all, javareader.Texts(tb, "testdata/corpus/odd-headers.txt")...)
}

// oddBinaryHeaders are binary headers whose lengths are odd.
func oddBinaryHeaders() (all [][]byte) {
	fixed := func(remark string) []byte {
		b := append(binary.BigEndian.AppendUint16(nil, 310), 0)
		b = binary.BigEndian.AppendUint16(b, 407)
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 17), 0)
		return append(binary.BigEndian.AppendUint32(b, uint32(len(remark))), remark...)
	}
	one := func(keyLength int16, key string, valueLength int32, value string) []byte {
		b := append(binary.BigEndian.AppendUint16(nil, uint16(keyLength)), key...)
		return append(binary.BigEndian.AppendUint32(b, uint32(valueLength)), value...)
	}
	with := func(length int32, fields ...[]byte) {
		b := binary.BigEndian.AppendUint32(fixed(""), uint32(length))
		for _, f := range fields {
			b = append(b, f...)
		}
		all = append(all, b)
	}
	ok := one(1, "b", 6, "orders")
	with(0)
	with(int32(len(ok)), ok)
	with(int32(2*len(ok)), ok, one(1, "b", 6, "billin")) // repeated
	for _, length := range []int32{
		0, -1, 1, int32(len(ok)) - 1, int32(len(ok)) + 1, math.MaxInt32,
		math.MinInt32,
	} {
		with(length, ok)
		with(length, ok, []byte{0})
	}
	for _, odd := range [][]byte{
		one(0, "", 1, "v"), one(1, "k", 0, ""), one(0, "", 0, ""), one(-1, "", 1, "v"), one(-1, "k",
			1, "v"), one(1, "k", -1, "v"), one(1, "k", -1, ""),
		one(9, "k", 1, "v"), one(1, "k", 9, "v"), one(1, "k", math.MaxInt32, "v"),
		one(math.MaxInt16, "k", 1, "v"), one(1, "\xff", 1, "v"), one(1, "k", 1, "\xff"),
		one(1, "k", 3, "\xed\xa0\xbd"), one(1, "k", 2, "\xc0\x80"), one(1, "\x00", 1, "\x00"),
		one(2, "é", 2, "é"), one(5, "@type", 17, "java.util.HashMap"), one(1, " ", 1, " "),
		one(1, "k", 1, "\x1a"), one(1, "\"", 1, "\""), one(1, "\\", 1, "\\"), one(1, "k", 3,
			"\ufeff"), one(1, "k", 4, "\U0001F600"),
	} {
		with(int32(len(ok)+len(odd)), ok, odd)
		with(int32(len(odd)), odd)
	}
	for _, remark := range []string{"why", "\xff", "\x00", "é"} {
		all = append(all, binary.BigEndian.AppendUint32(fixed(remark), 0))
	}
	for _, length := range []uint32{1, 0xFFFFFFFF, 1 << 31, 1 << 30, 5} {
		b := fixed("")
		binary.BigEndian.PutUint32(b[binaryRemark:], length)
		all = append(all, binary.BigEndian.AppendUint32(b, 0),
			append(binary.BigEndian.AppendUint32(b, 0), 0))
	}
	language := binary.BigEndian.AppendUint32(fixed(""), 0)
	language[2] = 0xFF
	return append(all, language, fixed(""), fixed("")[:10], nil)
}

// stockKey reports whether a name is one that stock clients could have for a field.
func stockKey(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	for _, c := range key {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// stockForms are a command as stock clients write it: with fastjson, encoding/json and jsoncpp, and
// in RocketMQ's own format.
func stockForms(code int, flag, opaque int32, remark string, fields []field) (all [][]byte) {
	form := func(quote func(string) string, end string) {
		var b strings.Builder
		fmt.Fprintf(&b, `{"code":%d,"extFields":{`, int32(code))
		for i, one := range fields {
			fmt.Fprintf(&b, `%s%s:%s`, strings.Repeat(",", min(i, 1)), quote(one.key),
				quote(one.value))
		}
		fmt.Fprintf(&b, `},"flag":%d,"language":"CPP","opaque":%d,"remark":%s,"version":407}%s`,
			flag, opaque, quote(remark), end)
		all = append(all, jsonFrame(b.String(), "body"))
	}
	form(func(s string) string { return string(appendText(nil, s)) }, "")
	form(func(s string) string {
		text, _ := json.Marshal(s)
		return string(text)
	}, "")
	form(func(s string) string { // all that isn't ASCII is escaped
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(s)) {
			switch {
			case unit == '"' || unit == '\\':
				b.WriteString(`\` + string(rune(unit)))
			case unit < ' ' || unit > '~':
				fmt.Fprintf(&b, `\u%04x`, unit)
			default:
				b.WriteByte(byte(unit))
			}
		}
		return `"` + b.String() + `"`
	}, "\n") // as the C++ client ends its headers
	h := header{
		code: int(int16(code)), version: 407, flag: flag, opaque: opaque, remark: remark,
		fields: fields,
	}
	head := h.appendBinary(nil)
	return append(all, append(append(appendLengths(nil, 1, len(head), 4), head...), "body"...))
}
