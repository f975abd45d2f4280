package wire

import (
	"testing"

	"rocketshift/internal/lab/javareader"
)

// composer writes headers.
type composer struct{ javareader.Composer }

func (c *composer) field() {
	switch c.Choose(4) {
	default:
		c.Plainly([]string{
			`"b"`, `"e"`, `"i"`, `"queueId"`, `"topic"`,
			`"consumerGroup"`,
		}[c.Choose(6)], `"\u0062"`, `"B"`, `"_b"`, `"@type"`, `"$ref"`, `""`,
			`'b'`, `b`, `1`, `null`, `"b "`, `"1"`)
	case 3:
		c.Text()
	}
}

// header writes a whole header. What it must have comes first, so that it is read if nothing else
// is odd.
func (c *composer) header() {
	c.Begin()
	c.Space()
	c.Piece(`{"code":310,"flag":0,"opaque":17`, `{"code":310,"flag":0,"opaque":17,"extFields":{}`,
		`{"flag":0,"opaque":17,"code":310,"version":407`, `{"opaque":17,"code":11,"flag":1`,
		`{"code":10,"flag":2,"opaque":-5`)
	for range c.Choose(5) {
		c.Space()
		c.Plainly(",", ",,")
		switch c.Choose(6) {
		case 0, 1, 2:
			c.Member(func() {
				c.Plainly(`"extFields"`, `"ExtFields"`, `"ext_fields"`, `"ext-Fields"`,
					`"isExtFields"`, `"\u0065xtFields"`, `extFields`, `'extFields'`)
			}, func() {
				if c.Choose(8) == 7 {
					c.Value()
				} else {
					c.Object(c.field, c.Value)
				}
			})
		case 3:
			c.Member(func() {
				c.Piece(`"code"`, `"version"`, `"flag"`, `"opaque"`, `"Code"`, `"_code"`,
					`"isFlag"`, `"co-de"`, `"\u0063ode"`, `code`)
			}, c.Number)
		case 4:
			c.Member(func() {
				c.Piece(`"language"`, `"remark"`, `"serializeTypeCurrentRPC"`, `"Remark"`, `"body"`,
					`"suspended"`, `"customHeader"`, `"callbackList"`, `"processTimer"`, `"type"`)
			}, c.Value)
		case 5:
			c.Member(func() { c.Piece(`"x"`, `"@type"`, `"$ref"`, `""`, `"code2"`, `"y"`) },
				c.Value)
		}
	}
	c.Space()
	c.Plainly("}", ",}", "}}", "")
	c.Space()
}

func FuzzComposedHeadersAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	for _, seed := range []string{
		"", "\x00\x00\x03\x00\x00\x00\x00", "0123456789",
		"\x00\x01\x02\x00\x00\x00\x03\x00\x00\x00\x00\x04\x05\x00\x00\x00\x02\x08\x09",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		c := composer{javareader.Composer{Choices: choices}}
		c.header()
		against(t, java, jsonFrame(string(c.Out), "body"))
	})
}
