package wire

import (
	"testing"

	"rocketshift/internal/lab/javareader"
)

// composer writes headers of pieces that bytes choose: most are read, whereas most changes of single bytes make no JSON.
type composer struct {
	choices []byte
	out     []byte
	deep    int
}

func (c *composer) choose(n int) int {
	if len(c.choices) == 0 {
		return 0
	}
	at := int(c.choices[0]) % n
	c.choices = c.choices[1:]
	return at
}

// piece writes one of several texts; the first one if nothing is left to choose by.
func (c *composer) piece(of ...string) { c.out = append(c.out, of[c.choose(len(of))]...) }

// spaces stand for nothing three times in four.
func (c *composer) space() {
	if c.choose(4) == 3 {
		c.piece(" ", "\n", "\t", "\r", "\f", "\v", "\b", "\x00", "\x1a", "/*c*/", "//c\n", "\u00a0", "\u2028", "\ufeff", ",")
	}
}

func (c *composer) text() {
	quote := []string{`"`, `"`, `"`, `"`, `"`, `"`, `"`, `'`}[c.choose(8)]
	c.out = append(c.out, quote...)
	for range c.choose(6) {
		c.piece("a", "b", "3", "-", "_", "B", " ", "+", "0", "/", "%", "{", "}", "[", ":", ",", "'", "@type", "$ref", "null", "<", "&",
			`\"`, `\\`, `\/`, `\b`, `\n`, `\t`, `\u0001`, `\u001F`, `\u0062`, `\u00e9`, `\u00E9`, `\u003c`, `\u2028`, `\ufffd`, `\u007f`,
			`\ud83d\ude00`, `\uD83D\uDE00`, `\ud83d`, `\ude00`, `\ud83d\u0041`, `\uffff`, `\u0000`, `\ufeff`,
			`\x62`, `\'`, `\0`, `\7`, `\v`, `\a`, `\u12`, `\`,
			"é", "\u2028", "\ufeff", "\U0001F600", "\uffff", "\u0085", "\u0660", "\x7f", "\x00", "\x01", "\n", "\t", "\x1a", "\x1f", "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80")
	}
	c.out = append(c.out, quote...)
}

func (c *composer) number() {
	c.piece("0", "1", "7", "310", "-1", "-0", "007", "+1", "0x1", "1.0", "1e2", "1L", "2147483647", "2147483648", "-2147483648", "-2147483649",
		"4294967606", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999", "1-1", "--1", ".1", "1.", "1E400", "-", "NaN")
}

func (c *composer) value() {
	switch c.choose(16) {
	case 0, 1, 2, 3, 4, 5, 6, 7, 8:
		c.text()
	case 9, 10, 11:
		c.number()
	case 12:
		c.piece("null", "true", "false", "undefined", "Null", "nul", "NULL", "x", "new Date(0)", "Set[]", "TreeSet[]", "x'00'")
	case 13:
		c.object(c.text, c.value)
	case 14:
		c.piece("[]", "[1]", `["x"]`, "[[]]", "[null]", "[,]")
	case 15:
		c.piece(`{"$ref":"$"}`, `{"$ref":".."}`, `{"@type":"java.util.HashMap"}`, `{"@type":"java.lang.String"`, "{}")
	}
}

func (c *composer) object(key, value func()) {
	if c.deep++; c.deep > 4 {
		c.piece("{}")
		return
	}
	c.space()
	c.piece("{")
	for i, n := 0, c.choose(5); i < n; i++ {
		if i > 0 {
			c.space()
			c.piece(",", ",", ",", ",", ",", ",", ",", ",,", ";", "")
		}
		c.member(key, value)
	}
	c.space()
	c.piece("}", "}", "}", "}", "}", "}", "}", "}", "}", ",}", "]")
	c.deep--
}

func (c *composer) member(key, value func()) {
	c.space()
	key()
	c.space()
	c.piece(":", ":", ":", ":", ":", ":", ":", "=", "::", "")
	c.space()
	value()
}

func (c *composer) field() {
	switch c.choose(4) {
	case 0, 1, 2:
		c.piece(`"b"`, `"e"`, `"i"`, `"queueId"`, `"topic"`, `"\u0062"`, `"B"`, `"_b"`, `"@type"`, `"$ref"`, `""`, `'b'`, `b`, `1`, `null`, `"b "`, `"1"`)
	case 3:
		c.text()
	}
}

// header writes a whole header. What it must have comes first, so that it is read if nothing else is odd.
func (c *composer) header() {
	c.space()
	c.piece(`{"code":310,"flag":0,"opaque":17`, `{"flag":0,"opaque":17,"code":310,"version":407`, `{"opaque":17,"code":11,"flag":1`, `{"code":10,"flag":2,"opaque":-5`)
	for range c.choose(5) {
		c.space()
		c.piece(",", ",", ",", ",", ",", ",", ",", ",,")
		switch c.choose(6) {
		case 0, 1, 2:
			c.member(func() {
				c.piece(`"extFields"`, `"extFields"`, `"extFields"`, `"extFields"`, `"ExtFields"`, `"ext_fields"`, `"ext-Fields"`, `"isExtFields"`, `"\u0065xtFields"`, `extFields`, `'extFields'`)
			}, func() {
				if c.choose(8) == 7 {
					c.value()
				} else {
					c.object(c.field, c.value)
				}
			})
		case 3:
			c.member(func() {
				c.piece(`"code"`, `"version"`, `"flag"`, `"opaque"`, `"Code"`, `"_code"`, `"isFlag"`, `"co-de"`, `"\u0063ode"`, `code`)
			}, c.number)
		case 4:
			c.member(func() {
				c.piece(`"language"`, `"remark"`, `"serializeTypeCurrentRPC"`, `"Remark"`, `"body"`, `"suspended"`, `"customHeader"`, `"callbackList"`, `"processTimer"`, `"type"`)
			}, c.value)
		case 5:
			c.member(func() { c.piece(`"x"`, `"@type"`, `"$ref"`, `""`, `"code2"`, `"y"`) }, c.value)
		}
	}
	c.space()
	c.piece("}", "}", "}", "}", "}", "}", "}", "}", ",}", "}}", "")
	c.space()
}

func FuzzComposedHeadersAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	for _, seed := range []string{"", "\x00\x00\x03\x00\x00\x00\x00", "0123456789", "\x00\x01\x02\x00\x00\x00\x03\x00\x00\x00\x00\x04\x05\x00\x00\x00\x02\x08\x09"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		c := composer{choices: choices}
		c.header()
		against(t, java, jsonFrame(string(c.out), "body"))
	})
}
