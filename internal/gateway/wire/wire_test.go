package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// Headers as clients and servers write them.
var headers = map[string]string{
	"Java 4.9.7 sends":    `{"code":310,"extFields":{"a":"producers","b":"orders","c":"TBW102","d":"4","e":"3","f":"0","g":"1700000000000","h":"0","i":"KEYS\u0001a \"b\"\u0002WAIT\u0001true\u0002","j":"0","k":"false","m":"false"},"flag":0,"language":"JAVA","opaque":17,"serializeTypeCurrentRPC":"JSON","version":407}`,
	"client-go sends":     `{"code":310,"language":"GO","version":317,"opaque":17,"flag":0,"remark":"","extFields":{"b":"orders","e":"3"}}`,
	"a broker answers":    `{"code":0,"extFields":{"queueId":"3","msgId":"C0A80001","queueOffset":"5"},"flag":1,"language":"JAVA","opaque":17,"remark":null,"serializeTypeCurrentRPC":"JSON","version":407}`,
	"fields before it":    `{"extFields":{"e":"3"},"flag":1,"language":"JAVA","opaque":17,"version":407,"code":-7}`,
	"no fields":           `{"code":34,"flag":0,"language":"JAVA","opaque":17,"version":407}`,
	"spaces":              `{ "code": 310, "flag": 0, "opaque": 17, "version": 407, "extFields": { "e": "3", "x": null } }`,
	"an escape at an end": `{"code":310,"extFields":{"e":"3","i":"a\\\\"},"flag":0,"opaque":17,"version":407}`,
}

func jsonFrame(header, body string) []byte {
	return append(append(appendLengths(nil, 0, len(header), len(body)), header...), body...)
}

func parsed(t *testing.T, raw []byte) *Frame {
	t.Helper()
	var f Frame
	require.NoError(t, f.Parse(raw))
	return &f
}

func written(f *Frame) []byte { return append(f.AppendHead(nil), f.Body...) }

func TestFramesAreReadAsTheyAreWritten(t *testing.T) {
	for name, header := range headers {
		t.Run(name, func(t *testing.T) {
			f := parsed(t, jsonFrame(header, "the body"))
			assert.EqualValues(t, 17, f.Opaque)
			assert.Equal(t, "the body", string(f.Body))
			if f.Has("e") {
				assert.Equal(t, "3", string(f.Get("e")))
				queue, ok := f.Number("e")
				assert.True(t, ok)
				assert.EqualValues(t, 3, queue)
			}
			f.Set("e", "12")
			f.Set("n", "broker-b")
			f.Set("m", "x")
			f.SetOpaque(-4)
			f.SetFlag(3)
			again := parsed(t, written(f))
			assert.Equal(t, "12", string(again.Get("e")))
			assert.Equal(t, "broker-b", string(again.Get("n")))
			assert.Equal(t, "x", string(again.Get("m")))
			assert.EqualValues(t, -4, again.Opaque)
			assert.EqualValues(t, 3, again.Flag)
			assert.Equal(t, f.Code, again.Code)
			assert.Equal(t, string(f.Get("i")), string(again.Get("i")))
			assert.Equal(t, "the body", string(again.Body))
			again.SetCode(22)
			again.SetBody([]byte("other"))
			last := parsed(t, written(again))
			assert.Equal(t, 22, last.Code)
			assert.Equal(t, "other", string(last.Body))
		})
	}
	f := parsed(t, jsonFrame(headers["Java 4.9.7 sends"], ""))
	assert.Equal(t, "KEYS\x01a \"b\"\x02WAIT\x01true\x02", f.Unescaped("i"))
	assert.Equal(t, jsonFrame(headers["Java 4.9.7 sends"], ""), written(f), "nothing was changed")
}

func TestBinaryHeaders(t *testing.T) {
	raw := AppendReply(nil, 9, true,
		Reply{Code: 20, Remark: "why", Fields: []string{"nextBeginOffset", "5", "maxOffset", "7"}, Body: []byte("b")})
	f := parsed(t, raw)
	assert.True(t, f.Binary)
	assert.True(t, f.Response())
	assert.Equal(t, 20, f.Code)
	assert.Equal(t, "why", string(f.Remark))
	assert.Equal(t, "7", string(f.Get("maxOffset")))
	f.Set("nextBeginOffset", "123456")
	f.Set("bname", "broker-a")
	f.SetOpaque(70_000)
	f.SetCode(0)
	again := parsed(t, written(f))
	assert.EqualValues(t, 70_000, again.Opaque)
	assert.Equal(t, 0, again.Code)
	assert.Equal(t, "123456", string(again.Get("nextBeginOffset")))
	assert.Equal(t, "7", string(again.Get("maxOffset")))
	assert.Equal(t, "broker-a", string(again.Get("bname")))
	assert.Equal(t, "b", string(again.Body))

	own := parsed(t, AppendRequest(nil, 200_050, 3, FlagOneWay, []string{"topic", "a\"b\x01"}, nil))
	assert.Equal(t, 200_050, own.Code)
	assert.True(t, own.OneWay())
	assert.Equal(t, "a\"b\x01", own.Unescaped("topic"))
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	for name, raw := range map[string][]byte{
		"too short":             {0, 0, 0, 3, 0, 0, 0},
		"header too long":       appendLengths(nil, 0, 100, 0),
		"not JSON":              jsonFrame("hello", ""),
		"an endless text":       jsonFrame(`{"code":"`, ""),
		"another kind":          appendLengths(nil, 7, 0, 0),
		"binary, ends early":    appendLengths(nil, 1, 0, 0),
		"a number of 25 digits": jsonFrame(`{"code":1111111111111111111111111,"flag":0,"opaque":1,"extFields":{}}`, ""),
	} {
		var f Frame
		assert.ErrorIs(t, f.Parse(raw), ErrFrame, name)
	}
}

func TestReaderTakesFramesInAnyPieces(t *testing.T) {
	var stream []byte
	var want []string
	for n, size := range []int{0, 10, 500, 9_000, 3, 100_000, 8_100, 3 << 20, 1} {
		body := strings.Repeat(string(rune('a'+n)), size)
		want = append(want, body)
		stream = append(stream, jsonFrame(headers["client-go sends"], body)...)
	}
	for name, in := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "halves": iotest.HalfReader(bytes.NewReader(stream)),
		"with the end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		r := NewReader(in)
		var f Frame
		for i := range want {
			require.NoError(t, r.Next(&f), "%s %d", name, i)
			require.Equal(t, want[i], string(f.Body), "%s %d", name, i)
		}
		require.ErrorIs(t, r.Next(&f), io.EOF, name)
	}
	var f Frame
	assert.ErrorIs(t, NewReader(bytes.NewReader(stream[1:]), stream[0]).Next(&f), nil, "the first byte was read before")
	assert.ErrorIs(t, NewReader(bytes.NewReader(stream[:40])).Next(&f), io.ErrUnexpectedEOF)
	assert.ErrorIs(t, NewReader(bytes.NewReader([]byte{0x7f, 0xff, 0xff, 0xff, 0})).Next(&f), ErrFrame)
}

// What is announced takes no memory before it comes.
func TestALengthAloneTakesNoMemory(t *testing.T) {
	for len(larges) > 0 { // what other tests left
		<-larges
	}
	r := NewReader(
		io.MultiReader(bytes.NewReader(appendLengths(nil, 0, 10, MaxFrame-1000)),
			iotest.ErrReader(errors.New("broke"))),
	)
	var f Frame
	require.Error(t, r.Next(&f))
	assert.LessOrEqual(t, cap(*r.large), firstLarge)
}

func message(queue int, offset, physical int64, flag int, store netip.AddrPort) []byte {
	b := make([]byte, messageBornHost, 200)
	b[messageSysFlag+3] = byte(flag)
	host := 8
	if flag&remoting.FlagBornHostV6 != 0 {
		host = 20
	}
	b = append(b, make([]byte, host+8)...)
	b = append(b, store.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint32(b, uint32(store.Port()))
	b = append(b, make([]byte, 40)...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	binary.BigEndian.PutUint32(b[messageQueue:], uint32(queue))
	binary.BigEndian.PutUint64(b[messageOffset:], uint64(offset))
	binary.BigEndian.PutUint64(b[messagePhysical:], uint64(physical))
	return b
}

func TestMessagesMove(t *testing.T) {
	four, six := netip.MustParseAddrPort("10.0.0.1:10911"), netip.MustParseAddrPort("[fd00::1]:10911")
	here4, here6 := netip.MustParseAddrPort("10.9.9.9:7000"), netip.MustParseAddrPort("[fd00::9]:7000")
	body := append(
		append(message(5, 1000, 77, 0, four), message(5, 1001, 300, remoting.FlagBornHostV6, four)...),
		message(5, 1002, 500, remoting.FlagStoreHostV6, six)...)
	want := append(
		append(message(2, 900, 77|1<<56, 0, here4), message(2, 901, 300|1<<56, remoting.FlagBornHostV6, here4)...),
		message(2, 902, 500|1<<56, remoting.FlagStoreHostV6, six)...)
	got := bytes.Clone(body)
	require.NoError(t, Moved{Queue: 2, Shift: 100, Tag: 1 << 56, Stored: here4}.Move(got))
	assert.Equal(t, want, got)
	got = bytes.Clone(body[len(body)-len(message(5, 1002, 500, remoting.FlagStoreHostV6, six)):])
	require.NoError(t, Moved{Queue: 2, Shift: 100, Tag: 1 << 56, Stored: here6}.Move(got))
	assert.Equal(t, message(2, 902, 500|1<<56, remoting.FlagStoreHostV6, here6), got)
	for cut := 1; cut < len(body); cut++ {
		if cut != 112 && cut != 236 {
			_ = Moved{}.Move(bytes.Clone(body[:cut])) // whatever it finds, it stays inside
		}
	}
	assert.ErrorIs(t, Moved{}.Move(body[:100]), ErrFrame)
}

// The signature is the same as the one that our client makes, which real brokers take.
func TestRequestsAreSignedWithTheirChanges(t *testing.T) {
	for name, raw := range map[string][]byte{
		"JSON": AppendRequest(nil, 310, 7, 0, []string{"b", "topic", "i", "KEYS\x01a \"ü\"\x02", "e", "3", "AccessKey", "their-key", "Signature", "old"}, []byte("body")),
		"binary": appendOwn(nil, 310, 7, 0, true, Reply{Fields: []string{"b", "topic", "i", "KEYS\x01a " +
			"\"ü\"\x02", "e", "3", "Signature", "old"}, Body: []byte("body")}),
	} {
		t.Run(name, func(t *testing.T) {
			f := parsed(t, raw)
			f.Set("e", "11")
			f.Set("n", "broker-b")
			f.Set("n", "broker-c")
			f.Sign("our-key", "secret")
			mac := remoting.NewMAC("secret")
			mac.Write([]byte("our-key" + "topic" + "11" + "KEYS\x01a \"ü\"\x02" + "broker-c" + "body"))
			again := parsed(t, written(f))
			assert.Equal(t, base64.StdEncoding.EncodeToString(mac.Sum(nil)), string(again.Get("Signature")))
			assert.Equal(t, "our-key", string(again.Get("AccessKey")))
			assert.Equal(t, "broker-c", string(again.Get("n")))
			assert.Len(t, again.Fields, 6)
		})
	}
}

// What is put behind a value is read, and signed, as if the client had sent it.
func TestFieldsAreExtended(t *testing.T) {
	const was, more = "A\x01ä", "\x02B\x01\"b\\\x02"
	for name, raw := range map[string][]byte{
		"JSON":    AppendRequest(nil, 310, 7, 0, []string{"b", "topic", "i", was}, nil),
		"binary":  appendOwn(nil, 310, 7, 0, true, Reply{Fields: []string{"b", "topic", "i", was}}),
		"without": AppendRequest(nil, 310, 7, 0, []string{"b", "topic"}, nil),
	} {
		want := was + more
		if name == "without" {
			want = more
		}
		f := parsed(t, raw)
		f.Extend("i", more)
		f.Sign("key", "secret")
		again := parsed(t, written(f))
		assert.Equal(t, want, again.Unescaped("i"), name)
		signature := string(again.Get("Signature"))
		again.Sign("key", "secret")
		assert.Equal(t, signature, string(parsed(t, written(again)).Get("Signature")), name)
	}
}

func FuzzParse(f *testing.F) {
	for _, header := range headers {
		f.Add(jsonFrame(header, "body"))
	}
	f.Add(AppendReply(nil, 9, true, Reply{Code: 20, Remark: "why", Fields: []string{"k", "v"}, Body: []byte("b")}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var one, two Frame
		if one.Parse(bytes.Clone(raw)) != nil {
			return
		}
		same := written(&one)
		require.NoError(t, two.Parse(same))
		require.Equal(t, one.Code, two.Code)
		one.Set("queueId", "41")
		one.SetOpaque(99)
		one.Set("new", "1")
		one.Set("new", "22")
		one.Sign("key", "secret")
		require.NoError(t, two.Parse(written(&one)))
		require.Equal(t, "41", string(two.Get("queueId")))
		require.Equal(t, "key", string(two.Get(FieldAccessKey)))
		if string(one.Get("new")) == "" {
			require.Equal(t, "22", string(two.Get("new")))
		}
		require.EqualValues(t, 99, two.Opaque)
		require.Equal(t, string(one.Body), string(two.Body))
	})
}

func FuzzMessages(f *testing.F) {
	f.Add(message(5, 1000, 77, 0, netip.MustParseAddrPort("10.0.0.1:10911")))
	f.Fuzz(func(t *testing.T, body []byte) {
		size := len(body)
		_ = Moved{Queue: 1, Shift: 5, Tag: 1 << 56, Stored: netip.MustParseAddrPort("10.0.0.2:1")}.Move(body)
		require.Len(t, body, size)
	})
}

// The path of a frame that passes as it is makes no garbage.
func TestReadingMakesNoGarbage(t *testing.T) {
	raw := jsonFrame(headers["Java 4.9.7 sends"], strings.Repeat("x", 1000))
	in := bytes.NewReader(nil)
	r := NewReader(in)
	var f Frame
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		in.Reset(raw)
		if err := r.Next(&f); err != nil || f.Get("b") == nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkParse(b *testing.B) {
	raw := jsonFrame(headers["Java 4.9.7 sends"], strings.Repeat("x", 1000))
	var f Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMemoryFitsWhatComes: thousands of connections carry little but heartbeats.
func TestMemoryFitsWhatComes(t *testing.T) {
	frame := AppendReply(nil, 1, false, Reply{Remark: strings.Repeat("x", 1000)})
	var f Frame
	one := NewReader(iotest.OneByteReader(bytes.NewReader(frame[:20])))
	require.Error(t, one.Next(&f))
	assert.Len(t, one.buf, smallBuffer, "it is known how much comes")
	in, out := net.Pipe()
	defer in.Close()
	r := NewReader(in)
	assert.Len(t, r.buf, idleBuffer)
	go func() {
		for range 10 { // one by one
			_, _ = out.Write(frame)
		}
		_, _ = out.Write(bytes.Repeat(frame, 10))
		_ = out.Close()
	}()
	for range 10 {
		require.NoError(t, r.Next(&f))
	}
	assert.Len(t, r.buf, smallBuffer)
	for range 10 {
		require.NoError(t, r.Next(&f))
		assert.Len(t, f.Remark, 1000)
	}
	assert.Len(t, r.buf, usualBuffer, "much came at once")
	assert.ErrorIs(t, r.Next(&f), io.EOF)
}
