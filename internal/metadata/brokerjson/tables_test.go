package brokerjson

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
)

func tables(text string) (metadata.Cluster, metadata.Gaps, error) {
	var gaps metadata.Gaps
	o, err := Document([]byte(text))
	if err != nil {
		return metadata.Cluster{}, nil, err
	}
	c, err := Tables(o, "broker-a", &gaps)
	if err == nil {
		err = c.Check()
	}
	return c, gaps, err
}

func TestABadTableEndsInOneErrorThatNamesTheKey(t *testing.T) {
	topic := func(settings string) string { return `{"topicConfigTable":{"orders":{` + settings + `}}}` }
	group := func(settings string) string { return `{"subscriptionGroupTable":{"g":{` + settings + `}}}` }
	const queues = `"readQueueNums":4,"writeQueueNums":4,"perm":6`
	for name, of := range map[string]struct{ text, want string }{
		"empty":          {"", "it is empty"},
		"half written":   {`{"topicConfigTable":{"orders":{"readQueue`, "malformed JSON: the string has no end at byte 41: is it written whole?"},
		"no object":      {`[1]`, "malformed JSON: want an object"},
		"table":          {`{"topicConfigTable":[]}`, "topicConfigTable: it is a list; want an object"},
		"topic":          {`{"topicConfigTable":{"orders":7}}`, "topicConfigTable.orders: it is the number 7; want an object"},
		"word as number": {topic(`"readQueueNums":"four","writeQueueNums":4,"perm":6`), "topicConfigTable.orders.readQueueNums: it is text; want a whole number"},
		"fraction":       {topic(`"readQueueNums":4.5,"writeQueueNums":4,"perm":6`), "readQueueNums: it is the number 4.5; want a whole number"},
		"negative":       {topic(`"readQueueNums":-1,"writeQueueNums":4,"perm":6`), "readQueueNums: -1 is out of range: 0 to"},
		"huge":           {topic(`"readQueueNums":99999999999999999999,"writeQueueNums":4,"perm":6`), "want a whole number"},
		"many queues":    {topic(`"readQueueNums":70000,"writeQueueNums":4,"perm":6`), "queues[0].read: 70000 is out of range: 0 to 65536"},
		"permission":     {topic(`"readQueueNums":4,"writeQueueNums":4,"perm":99`), "perm: 99 is out of range"},
		"nothing":        {topic(``), "topicConfigTable.orders: readQueueNums, writeQueueNums or perm is missing"},
		"flag":           {topic(queues + `,"order":"yes"`), "topicConfigTable.orders.order: it is text; want true or false"},
		"other name":     {topic(queues + `,"topicName":"other"`), `topicConfigTable.orders.topicName: it is "other"; want the name of its key`},
		"twice":          {`{"topicConfigTable":{"a":{` + queues + `},"a":{` + queues + `}}}`, "topicConfigTable.a: the key is there twice"},
		"setting twice":  {topic(queues + `,"perm":4`), "topicConfigTable.orders.perm: the key is there twice"},
		"bad name":       {`{"topicConfigTable":{"a b":{` + queues + `}}}`, `has a space or a character that isn't printed`},
		"policy":         {group(`"groupRetryPolicy":{"type":"NEVER"}`), `subscriptionGroupTable.g.groupRetryPolicy.type: it is "NEVER"; want EXPONENTIAL or CUSTOMIZED`},
		"times":          {group(`"groupRetryPolicy":{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1,"x"]}}`), "next[1]: it is text; want milliseconds"},
		"attributes":     {group(`"attributes":{"a":{}}`), "subscriptionGroupTable.g.attributes.a: it is an object; want text"},
		"subscriptions":  {group(`"subscriptionDataSet":[{"topic":7}]`), "subscriptionDataSet[0].topic: it is the number 7; want text"},
		"positions":      {`{"offsetTable":{"orders":{0:1}}}`, "offsetTable.orders: want topic@group"},
		"deep":           {strings.Repeat(`{"a":`, 100), "nested too deeply"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := tables(of.text)
			require.ErrorContains(t, err, of.want)
			require.Less(t, len(err.Error()), 500)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestWhatThisReleaseDoesNotKnowIsAGap(t *testing.T) {
	c, gaps, err := tables(
		`{"topicConfigTable":{"t":{"readQueueNums":1,"writeQueueNums":1,"perm":6,"fromTheFuture":1,` +
			`"attributes":{"message.type":"SPIN"}}}}`,
	)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"message.type": "SPIN"}, c.Topics[0].Attributes)
	require.Equal(t, "message type SPIN: this release doesn't know it; it stays an attribute (t)", gaps[0].String())
	require.Equal(t, "setting fromTheFuture of topics: this release doesn't know it (t)", gaps[1].String())
}

func TestGroupsOf5xAreReadWhole(t *testing.T) {
	c, gaps, err := tables(
		`{"subscriptionGroupTable":{"g":{"groupName":"g","consumeMessageOrderly":true,"groupRetryPolicy":` +
			`{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1,"max":2,"multiplier":3}},"subscriptionDataSet":[{"topic":"t",` +
			`"expressionType":"SQL92","expression":"a > 3","version":7}],"attributes":{"k":"v"}},` +
			`"h":{"groupRetryPolicy":{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1000,5000]}}}},` +
			`"offsetTable":{"t@g":{0:5,1:7},"t@g@x":{},"u@h":{"0":1}}}`,
	)
	require.NoError(t, err)
	require.Empty(t, gaps)
	g := c.Groups[0]
	require.True(t, *g.Orderly)
	require.Equal(t, []int64{1, 2, 3}, []int64{*g.Retry.Initial, *g.Retry.Max, *g.Retry.Multiplier})
	require.Equal(t, []int64{1000, 5000}, c.Groups[1].Retry.Milliseconds)
	require.Equal(t, []metadata.Subscription{
		{Group: "g", Topic: "t", Type: "SQL92", Expression: "a > 3", Seen: metadata.SeenSettings},
		{Group: "h", Topic: "u", Seen: metadata.SeenPositions},
	}, c.Subscriptions)
}

func TestAFileIsBoundedBeforeItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "topics.json")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(100<<20))
	require.NoError(t, f.Close())
	_, err = ReadFile(path)
	require.EqualError(t, err, path+": it has more than 33554432 bytes, the most that is read")
}

func FuzzTables(f *testing.F) {
	for _, version := range []string{"4.9.7", "5.3.3"} {
		for _, name := range []string{"topics.json", "subscriptionGroup.json"} {
			text, err := os.ReadFile(filepath.Join("..", "store", "testdata", version, "broker-a", name))
			require.NoError(f, err)
			f.Add(text)
		}
	}
	f.Add([]byte(`{"offsetTable":{"t@g":{0:5}},"configTable":{"N":{"k":"v"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, gaps, err := tables(string(text))
		if err != nil {
			return
		}
		_, err = c.YAML()
		require.NoError(t, err)
		for _, g := range gaps {
			require.LessOrEqual(t, len(g.Examples), 5)
		}
	})
}
