package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/javareader"
)

// readings are what the Java classes have read of the corpus. "make readings" writes it.
const readings = "testdata/readings.txt"

// TestLiveJavaReadsTheCorpusAsItIsRecorded: so that what the fuzz targets are compared with, where
// there is no Java, is true.
func TestLiveJavaReadsTheCorpusAsItIsRecorded(t *testing.T) {
	javareader.CheckRecorded(t, readings)
}

// command is a frame as the gateway reads it, in the words of the Java classes. An empty text in
// RocketMQ's own format is null there. The language is nobody's business here.
func command(f *Frame) javareader.Command {
	text := func(encoded []byte) *string {
		if f.Binary && len(encoded) == 0 {
			return nil
		}
		s := f.unescaped(encoded)
		return &s
	}
	is := javareader.Command{
		Code: f.Code, Flag: f.Flag, Version: f.Version, Opaque: f.Opaque,
		Format: "JSON",
	}
	if len(f.Remark) > 0 {
		is.Remark = text(f.Remark)
	}
	for _, field := range f.Fields {
		if is.Fields == nil {
			is.Fields = map[string]*string{}
		}
		is.Fields[string(field.Key)] = text(field.Value)
	}
	if f.Binary {
		is.Format = "ROCKETMQ"
	}
	if len(f.Body) > 0 {
		is.Body = fmt.Sprintf("%d %08x", len(f.Body), crc32.ChecksumIEEE(f.Body))
	}
	content := &content{Hash32: crc32.NewIEEE()}
	f.sum(content, nil)
	if content.size > 0 {
		is.Signed = fmt.Sprintf("%d %08x", content.size, content.Sum32())
	}
	return is
}

// content counts what a signature is made of.
type content struct {
	hash.Hash32
	size int
}

func (c *content) Write(b []byte) (int, error) {
	c.size += len(b)
	return c.Hash32.Write(b)
}

// readAlike has both Java versions read a frame that the gateway forwards.
func readAlike(t *testing.T, java javareader.Asker, want javareader.Command, forwarded []byte) {
	t.Helper()
	for i, got := range javareader.Ask[javareader.Command](t, java, javareader.Frame(forwarded)) {
		differ(t, want, usual(got), i, forwarded)
	}
}

// rawAlike has them read a frame as it came. What they refuse may go on in another form, and a
// null value is none.
func rawAlike(t *testing.T, java javareader.Asker, want javareader.Command, raw []byte) {
	t.Helper()
	replaced := bytes.Contains(inJSON(want), []byte("\uFFFD"))
	if want.Format == "JSON" && !utf8.Valid(raw[headerAt:]) || replaced {
		// 5.3.3 refuses JSON that isn't UTF-8; what stands for that elsewhere, and for half a
		// surrogate pair, isn't the same.
		return
	}
	for i, got := range javareader.Ask[javareader.Command](t, java, javareader.Frame(raw)) {
		if got.Refused != "" {
			continue
		}
		for key, value := range got.Fields {
			if value == nil && want.Format == "JSON" {
				delete(got.Fields, key)
				got.Signed = want.Signed
			}
		}
		differ(t, want, usual(got), i, raw)
	}
}

// usual is a command without what is nobody's business here: the language, the header, and whether
// what is empty is null.
func usual(got javareader.Command) javareader.Command {
	got.Language, got.Header = nil, nil
	if got.Remark != nil && *got.Remark == "" {
		got.Remark = nil
	}
	if len(got.Fields) == 0 {
		got.Fields = nil
	}
	return got
}

func differ(t *testing.T, want, got javareader.Command, version int, raw []byte) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("the gateway reads %s\nRocketMQ %s reads %s\nof %q", inJSON(want),
			javareader.Versions[version], inJSON(got), raw)
	}
}

func inJSON(v any) []byte {
	text, _ := json.Marshal(v)
	return text
}

// against parses a frame. What is not refused goes on unchanged, and changed, as both Java versions
// read it.
func against(t *testing.T, java javareader.Asker, raw []byte) {
	var f, again Frame
	if f.Parse(raw) != nil {
		return
	}
	rawAlike(t, java, command(&f), raw)
	readAlike(t, java, command(&f), written(&f))
	f.SetNumber("queueId", 41)
	f.Set("e", "7")
	f.Set("bname", "broker-b")
	f.Extend("i", "K\x01\"v\\\x02")
	f.SetFlag(f.Flag ^ FlagOneWay)
	f.SetOpaque(-77)
	changed := written(&f)
	require.NoError(t, again.Parse(changed), "%q", changed)
	assert.False(t, again.rewritten, "%q", changed)
	assert.Equal(t, "41", string(again.Get("queueId")))
	readAlike(t, java, command(&again), changed)
}

func FuzzJSONHeadersAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	for _, header := range headers {
		f.Add([]byte(header))
	}
	for _, header := range append(stockHeaders(f), oddHeaders(f)...) {
		f.Add([]byte(header))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		against(t, java, jsonFrame(string(header),
			"body"))
	})
}

func FuzzBinaryHeadersAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	for _, header := range oddBinaryHeaders() {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		against(t, java, append(append(appendLengths(nil, 1, len(header), 4), header...),
			"body"...))
	})
}

// Whole frames: their lengths and kinds.
func FuzzFramesAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	plain := jsonFrame(headers["client-go sends"], "body")
	f.Add(plain)
	f.Add(AppendReply(nil, 9, true, Reply{
		Code: 20, Remark: "why", Fields: []string{"k", "v"},
		Body: []byte("b"),
	}))
	for _, mark := range []uint32{
		0, 1, 1 << 24, 2 << 24, 0x80 << 24, 0xFF << 24, 0xFFFFFF,
		0x7FFFFFFF,
	} {
		f.Add(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 4), mark))
		other := append(binary.BigEndian.AppendUint32(append([]byte{}, plain[:4]...), mark),
			plain[headerAt:]...)
		f.Add(other)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { against(t, java, raw) })
}

// What stock clients write is never refused, whatever is in the texts: as fastjson, Go, jsoncpp and
// RocketMQ's own format write them.
func FuzzStockFramesAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	f.Add(310, 0, 17, "", "b", "orders", "i", "KEYS\x01a \"b\"\\\x02WAIT\x01true\x02")
	f.Add(11, 0, -1, "", "consumerGroup", "g<&>é\u2028\U0001F600", "topic", "/%RETRY%g\x7f\ufeff")
	f.Add(0, 1, 5, "no \"such\"\n\ttopic\r\b\f", "queueId", "3", "msgId", "")
	f.Fuzz(func(t *testing.T, code, flag, opaque int, remark, key1, value1, key2, value2 string) {
		for _, text := range []string{remark, key1, value1, key2, value2} {
			if !utf8.ValidString(text) || len(text) > 1000 {
				return
			}
		}
		if !stockKey(key1) || !stockKey(key2) || key1 == key2 {
			return
		}
		for _, raw := range stockForms(code, int32(flag), int32(opaque), remark, []field{{
			key1,
			value1,
		}, {key2, value2}}) {
			var one Frame
			require.NoError(t, one.Parse(raw), "%q", raw)
			want := javareader.Command{
				Code: one.Code, Flag: int32(flag), Version: 407,
				Opaque: int32(opaque), Body: one.wantBody(),
			}
			is := command(&one)
			want.Format, want.Remark, want.Fields, want.Signed = is.Format, is.Remark, is.Fields,
				is.Signed
			require.Equal(t, want, is)
			for _, one := range []field{{key1, value1}, {key2, value2}} {
				if got := is.Fields[one.key]; got != nil || one.value != "" {
					require.Equal(t, one.value, *got, "%q", raw)
				}
			}
			readAlike(t, java, is, written(&one))
		}
	})
}

func (f *Frame) wantBody() string { return command(f).Body }
