package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rocketshift/internal/metadata"
)

func ref[T any](v T) *T { return &v }

// book makes a workbook of one sheet.
func book(t testing.TB, rows ...[]any) *excelize.File {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		require.NoError(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	return f
}

func packed(t testing.TB, f *excelize.File) []byte {
	t.Helper()
	text, err := f.WriteToBuffer()
	require.NoError(t, err)
	return text.Bytes()
}

func TestGroupSheetsAreReadInEachForm(t *testing.T) {
	want5 := []metadata.Group{
		{
			Name:    "GID_a",
			Orderly: ref(false),
			Remark:  "one",
			Retry:   metadata.Retry{Policy: metadata.RetryDefault, MaxTimes: ref(16), DeadLetterTopic: "dead"},
		},
		{Name: "GID_b", Orderly: ref(true), Retry: metadata.Retry{Policy: metadata.RetryFixed, MaxTimes: ref(0)}},
	}
	for name, of := range map[string]struct {
		rows [][]any
		want []metadata.Group
	}{
		"5.x": {[][]any{
			{"ConsumerGroupId", "DeliveryOrderType", "ConsumeRetryPolicy", "MaxRetryTimes", "DeadLetterTargetTopic", "Remark"},
			{"GID_a", "Concurrently", "DefaultRetryPolicy", 16, "dead", "one"},
			{},
			{" GID_b ", "Orderly", "FixedRetryPolicy", "0"},
		}, want5},
		"5.x in Chinese, under a title": {[][]any{
			{"消费者分组列表"},
			{"*消费者分组ID", "投递顺序性", "消费重试策略", "最大重试次数", "死信 Topic", "备注"},
			{"GID_a", "并发投递", "阶梯退避", "16", "dead", "one"},
			{"GID_b", "顺序投递", "固定间隔重试", 0},
		}, want5},
		"4.x": {[][]any{
			{"ConsumerGroupId", "ConsumerGroupType", "Remark"}, {"GID_test1", "HTTP", "sample"}, {"GID_test2", "tcp"},
		}, []metadata.Group{{Name: "GID_test1", Protocol: "HTTP", Remark: "sample"}, {Name: "GID_test2", Protocol: "TCP"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c, gaps, err := Parse("groups.xlsx", packed(t, book(t, of.rows...)))
			require.NoError(t, err)
			require.Equal(t, of.want, c.Groups)
			require.Contains(
				t,
				fmt.Sprint(gaps),
				"settings of groups but order and retries: a console's sheets don't tell them",
			)
		})
	}
}

func TestTopicSheetsAreReadInEachForm(t *testing.T) {
	english := book(
		t,
		[]any{"Topic Name", "Message Type", "Description", "Created"},
		[]any{"a", "Normal Message", "x", "2026"},
		[]any{
			"b",
			"Partitionally Ordered Message",
		},
		[]any{"c", "Scheduled/Delayed Message"},
		[]any{"d", "Transactional Message"},
		[]any{"e", "Globally Ordered Message"},
		[]any{"f"},
	)
	_, err := english.NewSheet("Instructions")
	require.NoError(t, err)
	require.NoError(t, english.SetCellStr("Instructions", "A1", "Fill in the other sheet"))
	c, gaps, err := Parse("t.xlsx", packed(t, english))
	require.NoError(t, err)
	var got []string
	for _, one := range c.Topics {
		got = append(got, one.Name+"="+string(one.Type))
	}
	require.Equal(t, []string{"a=NORMAL", "b=FIFO", "c=DELAY", "d=TRANSACTION", "e=FIFO", "f="}, got)
	told := fmt.Sprint(gaps)
	require.Contains(t, told, `columns: this release doesn't know them ("Created")`)
	require.Contains(t, told, `sheets: they have no header of topics or groups and aren't read ("Instructions")`)
	require.Contains(t, told, "order over all messages of topics: FIFO keeps order by message group alone (e)")

	chinese := book(t, []any{"Topic 名称", "消息类型", "备注"}, []any{"a", "普通消息"}, []any{"b", "分区顺序消息"},
		[]any{"c", "定时/延时消息"}, []any{"d", "事务消息"}, []any{"e", 5})
	c, _, err = Parse("t.xlsx", packed(t, chinese))
	require.NoError(t, err)
	require.Equal(t, metadata.MessageType("FIFO"), c.Topics[1].Type)
	require.Equal(t, metadata.MessageType("DELAY"), c.Topics[4].Type)
}

func TestWhatASheetCarriesComesBack(t *testing.T) {
	c := metadata.New(metadata.Origin{})
	c.Topics = []metadata.Topic{
		{
			Name:   "orders",
			Type:   "FIFO",
			Remark: "=1+1",
			Queues: []metadata.Queues{{Broker: "a", Read: 4, Write: 4, Perm: 6}},
		},
		{Name: "plain", Type: "NORMAL"},
	}
	c.Groups = []metadata.Group{
		{
			Name:      "g",
			Orderly:   ref(true),
			Broadcast: ref(true),
			Retry:     metadata.Retry{Policy: metadata.RetryFixed, Milliseconds: []int64{5}, MaxTimes: ref(3)},
		},
		{Name: "h", Retry: metadata.Retry{Policy: metadata.RetryCustomized, MaxTimes: ref(-1)}},
	}
	var topics, groups bytes.Buffer
	gapsTopics, err := Writer{Kind: Topics}.Write(&topics, c)
	require.NoError(t, err)
	gapsGroups, err := Writer{Kind: Groups}.Write(&groups, c)
	require.NoError(t, err)
	told := fmt.Sprint(gapsTopics, gapsGroups)
	for _, want := range []string{
		"header of the topics' sheet: consoles don't document its words", "queues, permission, flags and attributes of topics",
		"interval of fixed retries: the sheet has no column for it (g)", "retry policy CUSTOMIZED",
		"retry times of groups: consoles take 0 to 1000: 1000 is written (h)", "order of groups: nobody said it: fill in", "(g)",
	} {
		require.Contains(t, told, want)
	}
	backTopics, _, err := Parse("t.xlsx", topics.Bytes())
	require.NoError(t, err)
	backGroups, _, err := Parse("g.xlsx", groups.Bytes())
	require.NoError(t, err)
	back, _ := metadata.Join(backTopics, backGroups)
	require.Equal(t, []metadata.Difference{
		{Change: metadata.Changed, Object: "group h", Field: "retry.maxTimes", From: "-1", To: "1000"},
		{Change: metadata.Changed, Object: "group h", Field: "retry.policy", From: "CUSTOMIZED", To: "DEFAULT"},
	}, metadata.Diff(c, back, metadata.Comparison{OnlyKnown: true}).List)
	require.Equal(t, "=1+1", back.Topics[0].Remark, "a remark is no formula")
}

func TestTheTemplatesHeaderAndWordsAreUsedAgain(t *testing.T) {
	template := book(t, []any{"Topic 名称", "消息类型", "地域", "备注"}, []any{"x", "分区顺序消息", "hz"}, []any{"y", "普通消息"})
	require.NoError(t, template.SetSheetName("Sheet1", "Topic列表"))
	c := metadata.New(metadata.Origin{})
	c.Topics = []metadata.Topic{
		{Name: "a", Type: "FIFO", Remark: "r"},
		{Name: "b", Type: "DELAY"},
		{Name: "c", Type: "NORMAL"},
	}
	var out bytes.Buffer
	gaps, err := Writer{Kind: Topics, Template: packed(t, template), TemplateName: "t.xlsx"}.Write(&out, c)
	require.NoError(t, err)
	require.Contains(
		t,
		fmt.Sprint(gaps),
		"words for message types: the template has no topic of them, so the API's word is written",
	)
	got, err := excelize.OpenReader(&out)
	require.NoError(t, err)
	rows, err := got.GetRows("Topic列表")
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"Topic 名称", "消息类型", "地域", "备注"}, {"a", "分区顺序消息", "", "r"}, {"b", "DELAY"}, {"c", "普通消息"},
	}, rows)

	_, err = Writer{
		Kind:         Topics,
		Template:     packed(t, book(t, []any{"no"})),
		TemplateName: "t.xlsx",
	}.Write(
		io.Discard,
		c,
	)
	require.EqualError(t, err, "t.xlsx: no sheet has a header of topics")
}

func TestABadWorkbookEndsInOneErrorThatNamesThePlace(t *testing.T) {
	header := []any{"Topic", "MessageType", "Remark"}
	groups := []any{"ConsumerGroupId", "DeliveryOrderType", "MaxRetryTimes"}
	merged := book(t, header, []any{"a"}, []any{"b"})
	require.NoError(t, merged.MergeCell("Sheet1", "A2", "A3"))
	million := book(t, header, []any{"a"})
	require.NoError(t, million.SetRowHeight("Sheet1", 1_048_576, 20))
	wide := book(t, header, []any{"a"})
	require.NoError(t, wide.SetCellStr("Sheet1", "XFD2", "x"))
	whole := packed(t, book(t, header, []any{"a"}))
	for name, of := range map[string]struct {
		packed []byte
		want   string
	}{
		"empty":        {nil, "m.xlsx: it is empty"},
		"text":         {[]byte("name,type"), "m.xlsx: it is no .xlsx, or not written whole"},
		"old":          {[]byte("\xd0\xcf\x11\xe0\xa1\xb1"), "it is an .xls of old, or has a password"},
		"half written": {whole[:len(whole)/2], "it is no .xlsx, or not written whole"},
		"another zip":  {zipOf(t, "a.txt", 10), "m.xlsx: "},
		"zip bomb":     {zipOf(t, "xl/worksheets/sheet1.xml", 64<<20), "it unpacks to more than 32 MB or 1000 parts"},
		"wrong sheet": {
			packed(t, book(t, []any{"Instance", "Region"}, []any{"x", "y"})),
			`no sheet has a header of topics (Topic, MessageType, Remark) or groups`,
		},
		"merged":    {packed(t, merged), `m.xlsx: sheet "Sheet1", row 3: cells A2 to A3 are merged`},
		"million":   {packed(t, million), `m.xlsx: sheet "Sheet1", row 100001: the sheet has more rows than 100000`},
		"wide":      {packed(t, wide), `m.xlsx: sheet "Sheet1", row 2: it has more columns than 200`},
		"no name":   {packed(t, book(t, header, []any{"", "Normal"})), `row 2: column A (Topic): the name: is empty`},
		"bad name":  {packed(t, book(t, header, []any{"a b"})), `row 2: column A (Topic): the name: "a b" has a space`},
		"twice":     {packed(t, book(t, header, []any{"a"}, []any{"a"})), "row 3: column A (Topic): topic a is there already, in row 2"},
		"type":      {packed(t, book(t, header, []any{"a", "Odd"})), `row 2: column B (MessageType): "Odd" is no message type that is known`},
		"order":     {packed(t, book(t, groups, []any{"a", "Sometimes"})), `row 2: column B (DeliveryOrderType): "Sometimes": want Concurrently or Orderly`},
		"times":     {packed(t, book(t, groups, []any{"a", "", 1e30})), `row 2: column C (MaxRetryTimes): "1`},
		"long cell": {packed(t, book(t, header, []any{"a", "Normal", strings.Repeat("x", 30_000)})), "remark: has 30000 bytes; at most 4096"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse("m.xlsx", of.packed)
			require.ErrorContains(t, err, of.want)
			require.Less(t, len(err.Error()), 900)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	path := filepath.Join(t.TempDir(), "big.xlsx")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, os.Truncate(path, 17<<20))
	_, _, err := Reader{File: path}.Read(t.Context())
	require.EqualError(t, err, path+": it has more than 16777216 bytes, the most that is read")
}

// zipOf is a zip with one part of that many zero bytes.
func zipOf(t *testing.T, name string, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(name)
	require.NoError(t, err)
	_, err = io.CopyN(w, zeros{}, size)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzParse(f *testing.F) {
	f.Add(packed(f, book(f, []any{"Topic", "MessageType"}, []any{"a", "Normal"})))
	f.Add(packed(f, book(f, []any{"ConsumerGroupId", "MaxRetryTimes"}, []any{"g", 16})))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _, err := Parse("x", text)
		if err == nil {
			require.NoError(t, c.Check())
		}
	})
}
