package javareader

// stockTexts are pieces of texts that stock clients write, wildTexts are others.
var (
	stockTexts = []string{
		"a", "b", "3", "-", "_", "B", " ", "+", "0", "/", "%", "{", "}", "[", ":", ",", "'",
		"@type", "$ref", "null", "<", "&",
		`\"`, `\\`, `\/`, `\b`, `\n`, `\t`, `\u0001`, `\u001F`,
		`\u00e9`, `\u00E9`, `\u003c`, `\u2028`, `\ufffd`,
		`\u007f`, `\ud83d\ude00`, `\uD83D\uDE00`, `\uffff`, `\u0000`, `\ufeff`,
		"é", "\u2028", "\ufeff", "\U0001F600", "\uffff", "\u0085", "\u0660", "\x7f",
	}
	wildTexts = []string{
		`\u0062`, `\ud83d`, `\ude00`, `\ud83d\u0041`, `\x62`,
		`\'`, `\0`, `\7`, `\v`, `\a`, `\u12`, `\`,
		"\x00", "\x01", "\n", "\t", "\x1a", "\x1f",
		"\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
	}
)

// Composer writes headers of pieces that bytes choose: most are read, whereas most changes of
// single bytes make no JSON.
type Composer struct {
	Choices []byte
	Out     []byte
	deep    int
	odd     bool // in its pieces and between them
	wild    bool // in its texts
}

// Choose picks one of n, by the bytes that it composes from.
func (c *Composer) Choose(n int) int {
	if len(c.Choices) == 0 {
		return 0
	}
	at := int(c.Choices[0]) % n
	c.Choices = c.Choices[1:]
	return at
}

// Piece writes one of several texts; the first one if nothing is left to choose by.
func (c *Composer) Piece(of ...string) { c.Out = append(c.Out, of[c.Choose(len(of))]...) }

// Plainly writes a piece, in odd headers perhaps another one.
func (c *Composer) Plainly(piece string, others ...string) {
	if c.odd && c.Choose(8) == 7 {
		c.Piece(others...)
		return
	}
	c.Out = append(c.Out, piece...)
}

// Space writes what may stand between pieces, three times in four nothing.
func (c *Composer) Space() {
	if c.odd && c.Choose(4) == 3 {
		c.Piece(" ", "\n", "\t", "\r", "\f", "\v", "\b", "\x00", "\x1a", "/*c*/", "//c\n",
			"\u00a0", "\u2028", "\ufeff", ",")
	}
}

// Text writes a string.
func (c *Composer) Text() {
	quote := `"`
	if c.odd && c.Choose(8) == 7 {
		quote = `'`
	}
	c.Out = append(c.Out, quote...)
	for range c.Choose(6) {
		if c.wild && c.Choose(3) == 2 {
			c.Piece(wildTexts...)
		} else {
			c.Piece(stockTexts...)
		}
	}
	c.Out = append(c.Out, quote...)
}

// Number writes a number.
func (c *Composer) Number() {
	c.Piece("0", "1", "7", "310", "-1", "-0", "007", "+1", "0x1", "1.0", "1e2", "1L",
		"2147483647", "2147483648", "-2147483648", "-2147483649", "4294967606",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"99999999999999999999", "1-1", "--1", ".1", "1.", "1E400", "-", "NaN")
}

// Value writes any value.
func (c *Composer) Value() {
	most := 9 // texts
	if c.odd {
		most = 16
	}
	switch c.Choose(most) {
	default:
		c.Text()
	case 9, 10, 11:
		c.Number()
	case 12:
		c.Piece("null", "true", "false", "undefined", "Null", "nul", "NULL", "x",
			"new Date(0)", "Set[]", "TreeSet[]", "x'00'")
	case 13:
		c.Object(c.Text, c.Value)
	case 14:
		c.Piece("[]", "[1]", `["x"]`, "[[]]", "[null]", "[,]")
	case 15:
		c.Piece(`{"$ref":"$"}`, `{"$ref":".."}`, `{"@type":"java.util.HashMap"}`,
			`{"@type":"java.lang.String"`, "{}")
	}
}

// Object writes an object with members of these keys and values.
func (c *Composer) Object(key, value func()) {
	if c.deep++; c.deep > 4 {
		c.Piece("{}")
		return
	}
	c.Space()
	c.Piece("{")
	for i, n := 0, c.Choose(5); i < n; i++ {
		if i > 0 {
			c.Space()
			c.Plainly(",", ",,", ";", "")
		}
		c.Member(key, value)
	}
	c.Space()
	c.Plainly("}", ",}", "]")
	c.deep--
}

// Member writes one member of an object.
func (c *Composer) Member(key, value func()) {
	c.Space()
	key()
	c.Space()
	c.Plainly(":", "=", "::", "")
	c.Space()
	value()
}

// Begin chooses how odd it will be.
func (c *Composer) Begin() { c.odd, c.wild = c.Choose(2) == 1, c.Choose(2) == 1 }
