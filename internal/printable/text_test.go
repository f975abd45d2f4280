package printable

import (
	"encoding/json"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsNotPrintedIsEscaped(t *testing.T) {
	for text, wanted := range map[string]string{
		"":                           "",
		"10.0.0.9@1234#5":            "10.0.0.9@1234#5",
		"Grüße, 订单 ✓ \\ \" '":        "Grüße, 订单 ✓ \\ \" '",
		"\x1b]0;x\x07":               `\x1b]0;x\a`,
		"\x1b[2J\x1b[8mhidden":       `\x1b[2J\x1b[8mhidden`,
		"two\nlines\r\tand a tab":    `two\nlines\r\tand a tab`,
		"\u009b31mC1\u0085":          `\u009b31mC1\u0085`,
		"user\u202egpj.exe\u2066x":   `user\u202egpj.exe\u2066x`,
		"zero\u200bwidth\ufeff":      `zero\u200bwidth\ufeff`,
		"line\u2028separator":        `line\u2028separator`,
		"no UTF-8 \xff\xc3(":         `no UTF-8 \xff\xc3(`,
		"\x7f delete, \x00 zero":     `\x7f delete, \x00 zero`,
		"beyond \U000e0041 the BMP":  `beyond \U000e0041 the BMP`,
		"a replacement \ufffd stays": "a replacement \ufffd stays",
	} {
		got := Text(text)
		assert.Equal(t, wanted, got, "%q", text)
		for _, r := range got {
			assert.True(t, unicode.IsPrint(r), "%q of %q", r, text)
		}
	}
	assert.Equal(t, "two\nlines\tand\\x1b", Lines("two\nlines\tand\x1b"))
	assert.Equal(t, `a \| b &lt;img> 'x' \x1b two`, Markdown("a | b <img> `x` \x1b\ntwo"))
}

func TestJSONMeansTheSameAndIsPrinted(t *testing.T) {
	was := map[string]string{
		"id": "\x1b]0;x\x07 \x7f \u009b \u202e \U000e0041 ü ✓ \u2028 😀",
		"<":  "\xff",
	}
	text, err := json.Marshal(was)
	require.NoError(t, err)
	text = append(JSON(text), '\n')
	for _, r := range string(text[:len(text)-1]) {
		assert.True(t, unicode.IsPrint(r), "%q", r)
	}
	var is map[string]string
	require.NoError(t, json.Unmarshal(text, &is))
	assert.Equal(t, was["id"], is["id"])
	plain := []byte("{\"a\":\n\t1}\r\n")
	assert.Equal(t, plain, JSON(plain))
}

type inner struct {
	Name string
	List []string
}

type outer struct {
	inner
	Kind   kind
	At     *inner
	Any    any
	By     map[string]inner
	Two    [2]string
	Since  time.Time
	Count  int
	hidden string
}

type kind string

func TestAllTextOfAValueIsMadePrintable(t *testing.T) {
	const bad, good = "\x1b", `\x1b`
	since := time.Now()
	was := outer{
		Kind: bad, At: &inner{Name: bad, List: []string{bad}}, Any: []any{bad, inner{Name: bad}, 7},
		By: map[string]inner{bad: {Name: bad}}, Two: [2]string{
			"",
			bad,
		}, Since: since, Count: 3, hidden: bad,
	}
	is := All(was, Text)
	assert.Equal(t, outer{
		Kind: good, At: &inner{Name: good, List: []string{good}}, Any: []any{good, inner{Name: good}, 7},
		By: map[string]inner{good: {Name: good}}, Two: [2]string{
			"",
			good,
		}, Since: since, Count: 3, hidden: bad,
	}, is)
	assert.Equal(t, bad, was.At.Name, "what was given stays")
	assert.Equal(t, bad, was.At.List[0])
	assert.Nil(t, All[error](nil, Text))
	assert.Equal(t, outer{}, All(outer{}, Text))
}
