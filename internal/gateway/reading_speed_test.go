package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
)

// oneReadingByTokens is OneReading as plainly as it can be written, with tokens of Go's decoder.
func oneReadingByTokens(text []byte, known wire.Names) error {
	if !utf8.Valid(text) || bytes.ContainsRune(text, utf8.RuneError) {
		return errors.New("text that isn't UTF-8")
	}
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte{'{'}) {
		return errors.New("no JSON object")
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := readTokens(in, known, 0); err != nil {
		return err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON")
	}
	return nil
}

func readTokens(in *json.Decoder, known wire.Names, depth int) error {
	token, err := in.Token()
	if err != nil {
		return err
	}
	if s, is := token.(string); is && strings.ContainsRune(s, utf8.RuneError) {
		return errors.New("half a surrogate pair")
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == bodies.MostDepth {
		return fmt.Errorf("more than %d levels of JSON", bodies.MostDepth)
	}
	seen := map[uint64]bool{}
	for in.More() {
		if open == '{' {
			key, err := in.Token()
			if err != nil {
				return err
			}
			name := key.(string)
			hash, meant := known.Read([]byte(name))
			if seen[hash] || meant != "" && meant != name || !bodies.PlainName([]byte(name)) {
				return fmt.Errorf("%w: member %.100q", bodies.ErrTwoReadings, name)
			}
			seen[hash] = true
		}
		if err := readTokens(in, known, depth+1); err != nil {
			return err
		}
	}
	_, err = in.Token()
	return err
}

// readsAlike fails unless both ways take a body, or both refuse it.
func readsAlike(t *testing.T, body []byte) {
	t.Helper()
	for _, known := range []wire.Names{bodies.BeatNames, bodies.LockNames} {
		slow, fast := oneReadingByTokens(body, known), bodies.OneReading(body, known)
		if (slow == nil) != (fast == nil) {
			t.Fatalf("of %q: by tokens %v, and %v", body, slow, fast)
		}
	}
}

// FuzzOneReading compares the quick reading with the plain one.
func FuzzOneReading(f *testing.F) {
	addBodies(f, "stock-heartbeats", "odd-heartbeats", "stock-locks", "stock-locked", "odd-locks",
		"stock-routes", "odd-routes")
	for _, body := range []string{
		`{"a":"\ud83d\ude00","\u0062":"\ufffd"}`, `{"a":"\ud83d","b":"\ude00\ud83d"}`,
		`{"\"\\\/":1,"\n":2}`,
		`{"a":[1,-0.5e+3 , true],"b":{},"c":[ ]}` + "\n", `{"a":1,}`, `{"a" 1}`,
		`{"a":01}`, "{\"a\":\"\x01\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		readsAlike(t, body)
		beats, locks := bodyComposer{}, bodyComposer{}
		beats.Choices, locks.Choices = body, body
		beats.beat()
		locks.lock()
		readsAlike(t, beats.Out)
		readsAlike(t, locks.Out)
	})
}

// An object of many members is read as one of few.
func TestNamesThatComeTwiceAreFoundAmongMany(t *testing.T) {
	for _, n := range []int{1, bodies.FewMembers - 1, bodies.FewMembers, bodies.FewMembers + 1, 1000} {
		names := manyNames(n)
		for body, taken := range map[string]bool{
			`{` + names + `"last":{"0":1}}`:                     true,
			`{` + names + `"_0":1}`:                             false,
			`{` + names + `"last":{` + names + `"is0":1}}`:      false,
			`{"is0":{},` + names + `"last":1}`:                  false,
			`{"x":[{` + names + `"y":1},{` + names + `"y":2}]}`: true,
		} {
			require.NoError(t, wantTaken(body, taken), body[max(0, len(body)-100):])
			readsAlike(t, []byte(body))
		}
	}
}

func wantTaken(body string, taken bool) error {
	err := bodies.OneReading([]byte(body), bodies.BeatNames)
	if taken == (err == nil) && (taken || errors.Is(err, bodies.ErrTwoReadings)) {
		return nil
	}
	return fmt.Errorf("taken: %t, and it was refused as: %w", taken, err)
}

// worstBodies are heartbeats, each as long and as full of one thing as may be.
func worstBodies() map[string]string {
	const long = mostBeat - 300
	many := func(piece string, most int) string {
		return strings.Repeat(piece, min(most, long/len(piece)))
	}
	deep := strings.Repeat(`{"a":`, bodies.MostDepth-3) + "1" + strings.Repeat("}", bodies.MostDepth-3)
	return map[string]string{
		"members of one object": `{"clientID":"a","x":[{` + manyNames(bodies.MostElements-10) + `"q":1}]}`,
		"known members": `{"clientID":"a","consumerDataSet":[` +
			many(`{"groupName":"g","messageModel":1,"unitMode":true},`,
				bodies.MostElements/4-10) + `{"groupName":"g"}]}`,
		"empty objects": `{"clientID":"a","x":[` + many(`{},`, bodies.MostElements/2-10) + `{}]}`,
		"deep": `{"clientID":"a","x":[` +
			many(deep+",", bodies.MostElements/(bodies.MostDepth-1)-10) + `1]}`,
		"escapes": `{"clientID":"a","x":"` + many(`\u0041`, long) + `"}`,
		"pairs":   `{"clientID":"a","x":"` + many(`\ud83d\ude00`, long) + `"}`,
		"quotes":  `{"clientID":"a","x":"` + many(`\"`, long) + `"}`,
		"names with escapes": `{"clientID":"a","x":[` +
			many(`{"\u0061\u0062":1},`, bodies.MostElements/2-10) + `1]}`,
		"long names": `{"clientID":"a","` + many("a", long/2) + `":1,"` +
			many("b", long/2) + `":1}`,
		"a long text":   `{"clientID":"a","x":"` + many("x", long) + `"}`,
		"a long number": `{"clientID":"a","x":` + many("1", long) + `}`,
		"numbers": `{"clientID":"a","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"codeSet":[` +
			many("1234567890,", bodies.MostElements-10) + `1]}]}]}`,
		"texts": `{"clientID":"a","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"tagsSet":[` +
			many(`"1234567890",`, bodies.MostElements-10) + `""]}]}]}`,
		"blanks": `{"clientID":"a","x":[1,` + many(" \n", long) + `1]}`,
		"stock":  stockBeat(1000, 10),
	}
}

// The worst bodies take little more than it takes to look at each of their bytes.
func TestTheWorstBodiesAreReadWithoutGarbage(t *testing.T) {
	for name, body := range worstBodies() {
		require.LessOrEqual(t, len(body), mostBeat, name)
		require.LessOrEqual(t, bodies.Elements([]byte(body)), bodies.MostElements, name)
		require.NoError(t, bodies.OneReading([]byte(body), bodies.BeatNames), name)
		allocs := testing.AllocsPerRun(1, func() { _ = bodies.OneReading([]byte(body), bodies.BeatNames) })
		assert.LessOrEqual(t, allocs, 100.0, name)
	}
}

// BenchmarkOneReading says what the worst bodies cost, in seconds of a processor as well: a machine
// with other work gives a test less than one.
func BenchmarkOneReading(b *testing.B) {
	for name, body := range worstBodies() {
		text := []byte(body)
		measure := func(what string, how func()) {
			b.Run(name+what, func(b *testing.B) {
				b.ReportAllocs()
				before := cpuTime(b)
				for b.Loop() {
					how()
				}
				b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
			})
		}
		measure("", func() { _ = bodies.OneReading(text, bodies.BeatNames) })
		measure(", whole", func() { _, _ = bodies.ParseHeartbeat(text) })
	}
	locks := []byte(`{"consumerGroup":"g","clientId":"c","mqSet":[` + strings.Repeat(
		`{"topic":"a","brokerName":"b","queueId":0},`, bodies.MostElements/4-10) + `{}]}`)
	b.Run("locks", func(b *testing.B) {
		b.ReportAllocs()
		before := cpuTime(b)
		for b.Loop() {
			_, _ = bodies.ParseLock(locks)
		}
		b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
	})
}

// cpuTime is how long the process has been on processors.
func cpuTime(b *testing.B) time.Duration {
	cpu, err := lab.ProcessCPU(os.Getpid())
	require.NoError(b, err)
	return cpu
}
