package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
)

// oddFields are what stands for extFields in headers that no stock client writes.
var oddFields = []string{
	`{"b":"orders","e":"3","b":"billing"}`,
	`{"b":"orders"},"extFields":{"b":"billing"}`,
	`{"b":"orders"},"extFields":null`,
	`{"b":"orders"},"ExtFields":{"b":"billing"}`,
	`{"b":"orders"},"ext_fields":{"b":"billing"}`,
	`{"b":"orders"},"ext-fields":{"b":"billing"}`,
	`{"b":"orders","\u0062":"billing"}`,
	`{"b":"\u0062illing"}`, `{"b":"\x62illing"}`, `{"b":"\62illing"}`, `{"b":"\0"}`, `{"b":"\v"}`, `{"b":"\a"}`, `{"b":"\'"}`,
	`{"b":"\u0001\u001f\u007f\u00e9\u2028\uffff\ufffd"}`, `{"b":"\u00E9"}`, `{"b":"\U00e9"}`, `{"b":"\u00g9"}`, `{"b":"\u+041"}`,
	`{"b":"\/\b\f\n\r\t\"\\"}`,
	`{"b":"\ud83d\ude00"}`, `{"b":"\ud83d"}`, `{"b":"\ude00"}`, `{"b":"\ude00\ud83d"}`, `{"b":"\ud83dx"}`, `{"b":"\ud83d\u0041"}`,
	"{\"b\":\"\xf0\x9f\x98\x80\"}", "{\"b\":\"\xff\"}", "{\"b\":\"\xc0\x80\"}", "{\"b\":\"\xed\xa0\xbd\"}", "{\"b\":\"\xe2\x82\"}", "{\"b\":\"\xf4\x90\x80\x80\"}",
	"{\"b\":\"\x00\"}", "{\"b\":\"a\x1ab\"}", "{\"b\":\"\x1a\"}", "{\"b\":\"a\nb\tc\"}", "{\"b\":\"\x7f\"}", "{\"b\":\"\ufeff\"}", "{\"b\":\"\u2028\u0085\"}",
	"{\"\x1a\":\"x\"}", "{\"a\tb\":\"x\"}", `{"é":"x"}`, `{"a\"b":"x"}`, `{"a\\b":"x"}`, `{"":"x"}`, `{" ":"x"}`, `{"b ":"x"}`, `{"'":"x"}`, `{"a,b:{}[]":"x"}`,
	`{'b':'billing'}`, `{b:"billing"}`, `{"b":'billing'}`, `{b:1}`, `{1:"x"}`, `{"1":"x"}`, `{null:"x"}`, `{"null":"x"}`, `{[1]:"x"}`,
	`{"b":12}`, `{"b":-12}`, `{"b":-0}`, `{"b":+1}`, `{"b":007}`, `{"b":0x10}`, `{"b":1.5}`, `{"b":1.0}`, `{"b":1e3}`, `{"b":1E+3}`, `{"b":1L}`, `{"b":1S}`, `{"b":1B}`, `{"b":1F}`, `{"b":1D}`,
	`{"b":9223372036854775807}`, `{"b":9223372036854775808}`, `{"b":-9223372036854775808}`, `{"b":11111111111111111111111111}`, `{"b":.5}`, `{"b":5.}`, `{"b":NaN}`, `{"b":Infinity}`,
	`{"b":"+1","e":"007"}`, `{"b":"0x1"}`, `{"b":"1e3"}`, `{"b":" 1"}`, `{"b":"٣"}`,
	`{"b":true}`, `{"b":false}`, `{"b":null}`, `{"b":"orders","b":null}`, `{"b":undefined}`, `{"b":"null"}`, `{"b":"true"}`, `{"b":NULL}`, `{"b":new Date(0)}`, `{"b":Set[1]}`, `{"b":x'41'}`,
	`{"b":{}}`, `{"b":{"a":1}}`, `{"b":[]}`, `{"b":["x"]}`, `{"b":[["x"]]}`, `{"b":{"$ref":"$"}}`, `{"b":{"@type":"java.lang.String","val":"x"}}`, `{"b":{"@type":"java.util.Date","val":1}}`,
	`{"@type":"java.util.HashMap","b":"billing"}`, `{"@type":"java.util.TreeMap","b":"billing"}`, `{"@type":"x"}`, `{"@type":null}`, `{"@type":1}`, `{"b":"orders","@type":"java.util.HashMap","b":"billing"}`,
	`{"@type":"org.apache.rocketmq.remoting.protocol.RemotingCommand"}`, `{"\u0040type":"java.util.HashMap","b":"x"}`, `{"@typ":"x"}`, `{"@Type":"x"}`,
	`{"$ref":"$"}`, `{"$ref":".."}`, `{"$ref":"@"}`, `{"b":"x","$ref":"$"}`, `{"$":"x"}`, `{"@":"x"}`,
	`{"b":"billing",}`, `{,"b":"billing"}`, `{"b":"billing",,"e":"3"}`, `{"b" : "billing" }`, `{"b":/*c*/"billing"}`, `{/*c*/"b":"billing"}`, "{//c\n\"b\":\"billing\"}", `{"b":"billing"/*,"b":"orders"*/}`,
	"{\t\"b\"\n:\r\"x\"\f}", "{\v\"b\":\"x\"}", "{\b\"b\":\"x\"}", "{\u00a0\"b\":\"x\"}", "{\ufeff\"b\":\"x\"}",
	`{"b":"x";"e":"3"}`, `{"b"="x"}`, `{"b":"x"`, `{"b"}`, `{"b":}`, `{"b":"x"]`, `[{"b":"x"}]`, `[]`, `""`, `"null"`, `"x"`, `0`, `false`, `"{\"b\":\"x\"}"`, `{}`, `null`, ` null`, `{ }`, `{"b":"x"}}`,
	`{"b":"a","b":"b","b":"c"}`, `{"b":""}`, `{"b":"x","e":""}`, `{"__proto__":"x"}`, `{"class":"x"}`, `{"queueId":"3","queueid":"4","queue_id":"5","QueueId":"6"}`,
}

// oddMembers are whole headers that no stock client writes.
var oddMembers = []string{
	`{"code":10,"code":310,"flag":0,"opaque":17}`, `{"code":310,"Code":11,"_code":12,"-code":13,"co_de":14,"flag":0,"opaque":17}`,
	`{"Code":310,"flag":0,"opaque":17}`, `{"CODE":310,"flag":0,"opaque":17,"code":11}`, `{"code":310,"isCode":11,"flag":0,"opaque":17}`,
	`{"\u0063ode":310,"flag":0,"opaque":17}`, `{"code":"310","flag":"0","opaque":"17"}`, `{"code":310.0,"flag":0,"opaque":17}`, `{"code":3.1e2,"flag":0,"opaque":17}`,
	`{"code":"0x136","flag":0,"opaque":17}`, `{"code":"+310","flag":0,"opaque":17}`, `{"code":"1,000","flag":0,"opaque":17}`, `{"code":"310.0","flag":0,"opaque":17}`, `{"code":"","flag":0,"opaque":17}`,
	`{"code":null,"flag":0,"opaque":17}`, `{"code":"null","flag":0,"opaque":17}`, `{"code":true,"flag":0,"opaque":17}`, `{"code":"true","flag":0,"opaque":17}`, `{"code":[310],"flag":0,"opaque":17}`, `{"code":{},"flag":0,"opaque":17}`,
	`{"code":+310,"flag":0,"opaque":17}`, `{"code":-310,"flag":0,"opaque":17}`, `{"code":-0,"flag":-0,"opaque":17}`, `{"code":007,"flag":00,"opaque":017}`, `{"code":0x10,"flag":0,"opaque":17}`,
	`{"code":2147483647,"flag":2147483647,"opaque":2147483647}`, `{"code":-2147483648,"flag":-2147483648,"opaque":-2147483648}`, `{"code":2147483648,"flag":0,"opaque":17}`, `{"code":310,"flag":0,"opaque":-2147483649}`,
	`{"code":4294967606,"flag":0,"opaque":17}`, `{"code":310,"flag":4294967296,"opaque":17}`, `{"code":00000000000000000310,"flag":0,"opaque":17}`, `{"code":18446744073709551926,"flag":0,"opaque":17}`,
	`{"code":310L,"flag":0,"opaque":17}`, `{"code":310B,"flag":0,"opaque":17}`, `{"code":310 ,"flag":0,"opaque":17}`, `{"code": 310,"flag":0,"opaque":17}`, `{"code":-,"flag":0,"opaque":17}`, `{"code":--1,"flag":0,"opaque":17}`, `{"code":1-1,"flag":0,"opaque":17}`, `{"code":3-,"flag":0,"opaque":1}`,
	`{"code":310,"flag":0,"opaque":17,"version":"407"}`, `{"code":310,"flag":0,"opaque":17,"version":null}`, `{"code":310,"flag":0,"opaque":17,"version":99999999999}`, `{"code":310,"flag":0,"opaque":17,"version":407,"version":1}`,
	`{"code":310,"flag":0,"opaque":17,"language":"java"}`, `{"code":310,"flag":0,"opaque":17,"language":"JAVA "}`, `{"code":310,"flag":0,"opaque":17,"language":"RUST"}`, `{"code":310,"flag":0,"opaque":17,"language":1}`, `{"code":310,"flag":0,"opaque":17,"language":99}`, `{"code":310,"flag":0,"opaque":17,"language":null}`, `{"code":310,"flag":0,"opaque":17,"language":""}`, `{"code":310,"flag":0,"opaque":17,"language":"\u004aAVA"}`, `{"code":310,"flag":0,"opaque":17,"language":["JAVA"]}`, `{"code":310,"flag":0,"opaque":17,"language":"a\"b"}`, `{"code":310,"flag":0,"opaque":17,"language":"\n"}`, `{"code":310,"flag":0,"opaque":17,"language":{}}`, `{"code":310,"flag":0,"opaque":17,"language":true}`,
	`{"code":310,"flag":0,"opaque":17,"remark":null}`, `{"code":310,"flag":0,"opaque":17,"remark":""}`, `{"code":310,"flag":0,"opaque":17,"remark":5}`, `{"code":310,"flag":0,"opaque":17,"remark":true}`, `{"code":310,"flag":0,"opaque":17,"remark":{"a":1}}`, `{"code":310,"flag":0,"opaque":17,"remark":"a\u0001é\ud83d"}`, "{\"code\":310,\"flag\":0,\"opaque\":17,\"remark\":\"a\nb\x1a\"}", `{"code":310,"flag":0,"opaque":17,"remark":"\x41"}`, `{"code":310,"flag":0,"opaque":17,"remark":"x","remark":null}`,
	`{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":"ROCKETMQ"}`, `{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":1}`, `{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":9}`, `{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":null}`, `{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":"x"}`, `{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":""}`, `{"code":310,"flag":0,"opaque":17,"serializeTypeCurrentRPC":{}}`,
	`{"code":310,"flag":0,"opaque":17,"body":"AAAA"}`, `{"code":310,"flag":0,"opaque":17,"customHeader":{}}`, `{"code":310,"flag":0,"opaque":17,"suspended":true}`, `{"code":310,"flag":0,"opaque":17,"onewayRPC":true,"type":"x"}`, `{"code":310,"flag":0,"opaque":17,"callbackList":[]}`,
	`{"@type":"org.apache.rocketmq.remoting.protocol.RemotingCommand","code":310,"flag":0,"opaque":17}`, `{"@type":"java.util.HashMap","code":310,"flag":0,"opaque":17}`, `{"code":310,"flag":0,"opaque":17,"@type":"x"}`, `{"$ref":"$","code":310,"flag":0,"opaque":17}`, `{"code":310,"flag":0,"opaque":17,"x":{"$ref":"$"}}`, `{"code":310,"flag":0,"opaque":17,"x":{"@type":"java.net.URL","val":"x"}}`,
	`{"flag":0,"opaque":17}`, `{"code":310,"opaque":17}`, `{"code":310,"flag":0}`, `{"code":310,"flag":0,"opaque":17}`, `{}`, `[]`, ``, ` `, `null`, `"x"`, `[{"code":310,"flag":0,"opaque":17}]`, `{"code":310,"flag":0,"opaque":17}{}`, `{"code":310,"flag":0,"opaque":17} `, `{"code":310,"flag":0,"opaque":17}/*c*/`, "{\"code\":310,\"flag\":0,\"opaque\":17}\x00", "{\"code\":310,\"flag\":0,\"opaque\":17}\x1a", "\x1a{\"code\":310,\"flag\":0,\"opaque\":17}",
	"\ufeff{\"code\":310,\"flag\":0,\"opaque\":17}", "\n\t {\"code\":310,\"flag\":0,\"opaque\":17}\r\n", `/*c*/{"code":310,"flag":0,"opaque":17}`, `{code:310,flag:0,opaque:17}`, `{'code':310,'flag':0,'opaque':17}`, `{"code":310,"flag":0,"opaque":17,}`, `{"code":310,,"flag":0,"opaque":17}`, `{"code":310;"flag":0;"opaque":17}`, `{"code" :310,"flag":0,"opaque":17}`, `{"code"=310,"flag":0,"opaque":17}`,
	`{"code":310,"x":1,"flag":0,"opaque":17}`, `{"code":310,"x":{"extFields":{"b":"orders"}},"flag":0,"opaque":17,"extFields":{"b":"billing"}}`, `{"code":310,"x":[1,{"a":[]}],"flag":0,"opaque":17,"extFields":{"b":"billing"}}`,
	`{"code":310,"flag":0,"opaque":17,"extFields":{"b":"billing"},"code":11}`, `{"code":310,"flag":0,"flag":1,"opaque":17,"opaque":18}`,
}

func oddHeaders() (all []string) {
	for _, fields := range oddFields {
		all = append(all, `{"code":310,"extFields":`+fields+`,"flag":0,"language":"JAVA","opaque":17,"version":407}`)
	}
	for _, n := range []int{20, 600} {
		all = append(all, `{"code":310,"x":`+strings.Repeat("[", n)+strings.Repeat("]", n)+`,"flag":0,"opaque":17}`)
	}
	return append(all, oddMembers...)
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
	for _, length := range []int32{0, -1, 1, int32(len(ok)) - 1, int32(len(ok)) + 1, math.MaxInt32, math.MinInt32} {
		with(length, ok)
		with(length, ok, []byte{0})
	}
	for _, odd := range [][]byte{
		one(0, "", 1, "v"), one(1, "k", 0, ""), one(0, "", 0, ""), one(-1, "", 1, "v"), one(-1, "k", 1, "v"), one(1, "k", -1, "v"), one(1, "k", -1, ""),
		one(9, "k", 1, "v"), one(1, "k", 9, "v"), one(1, "k", math.MaxInt32, "v"), one(math.MaxInt16, "k", 1, "v"), one(1, "\xff", 1, "v"), one(1, "k", 1, "\xff"),
		one(1, "k", 3, "\xed\xa0\xbd"), one(1, "k", 2, "\xc0\x80"), one(1, "\x00", 1, "\x00"), one(2, "é", 2, "é"), one(5, "@type", 17, "java.util.HashMap"), one(1, " ", 1, " "), one(1, "k", 1, "\x1a"), one(1, "\"", 1, "\""), one(1, "\\", 1, "\\"), one(1, "k", 3, "\ufeff"), one(1, "k", 4, "\U0001F600"),
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
		all = append(all, binary.BigEndian.AppendUint32(b, 0), append(binary.BigEndian.AppendUint32(b, 0), 0))
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

// stockForms are a command as stock clients write it: fastjson, encoding/json, jsoncpp, and RocketMQ's own format.
func stockForms(code int, flag, opaque int32, remark string, fields []field) (all [][]byte) {
	form := func(quote func(string) string) {
		var b strings.Builder
		fmt.Fprintf(&b, `{"code":%d,"extFields":{`, int32(code))
		for i, one := range fields {
			fmt.Fprintf(&b, `%s%s:%s`, strings.Repeat(",", min(i, 1)), quote(one.key), quote(one.value))
		}
		fmt.Fprintf(&b, `},"flag":%d,"language":"CPP","opaque":%d,"remark":%s,"version":407}`, flag, opaque, quote(remark))
		all = append(all, jsonFrame(b.String(), "body"))
	}
	form(func(s string) string { return string(appendText(nil, s)) })
	form(func(s string) string {
		text, _ := json.Marshal(s)
		return string(text)
	})
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
	})
	h := header{code: int(int16(code)), version: 407, flag: flag, opaque: opaque, remark: remark, fields: fields}
	head := h.appendBinary(nil)
	return append(all, append(append(appendLengths(nil, 1, len(head), 4), head...), "body"...))
}
