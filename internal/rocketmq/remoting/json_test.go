package remoting

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFastjsonAndStandardJSONReadAlike(t *testing.T) {
	for _, text := range []string{`{"offsetTable":{0:5,1:7}}`, `{"offsetTable":{"0":5,"1":"7"}}`, ` { "offsetTable" : { 0 : 5 , 1 : 7 } } `} {
		o, err := ParseObject([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, map[int]int64{0: 5, 1: 7}, o.Object("offsetTable").Numbers(), text)
	}
	o, err := ParseObject(
		[]byte(
			`{"t":{{"brokerName":"a}","queueId":1,"topic":"%RETRY%g|x"}:{"maxOffset":3},{"queueId":2}:{}},"d":0.0,"b":true,"n":null,"l":[1,"x",{}],"s":"\u00e9\n\ud83d\ude00\/"}`,
		),
	)
	require.NoError(t, err)
	table := o.Object("t")
	require.Len(t, table, 2)
	require.Equal(t, map[string]any{"topic": "%RETRY%g|x", "brokerName": "a}", "queueId": json.Number("1")},
		queueIn(table[0].Key.(Object)))
	require.Equal(t, int64(3), table[0].Value.(Object).Number("maxOffset"))
	require.True(t, o.Flag("b", false))
	require.True(t, o.Flag("absent", true))
	require.Equal(t, "é\n😀/", o.Text("s"))
	require.Len(t, o.List("l"), 3)
}

func TestJSONThatIsNotReadIsAnError(t *testing.T) {
	for _, text := range []string{`{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1]`, `{"a":"x`, `{"a":"\q"}`, `{"a":"\u12"}`, `{} {}`, `{[1]:2}`, `{"$ref":"$.."}`, strings.Repeat(`{"a":`, 100)} {
		_, err := ParseObject([]byte(text))
		require.ErrorIs(t, err, errJSON, text)
	}
	o, err := ParseObject(nil)
	require.NoError(t, err)
	require.Empty(t, o)
}

func FuzzParseJSON(f *testing.F) {
	for _, text := range []string{`{"offsetTable":{0:5,1:7}}`, `{{"a":1}:{"b":[true,null,"\u00e9"]}}`, `[]`, `-1.5e3`, `"\\"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		if v, err := parseJSON(b); err == nil {
			_ = PlainJSON(v)
		}
	})
}

func queueIn(o Object) map[string]any { return PlainJSON(o).(map[string]any) }
