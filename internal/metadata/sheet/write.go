package sheet

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"

	"rocketshift/internal/metadata"
)

// Limits of 5.x consoles.
const (
	longestName   = 60 // characters; 128 on serverless instances
	longestRemark = 60
	mostTimes     = 1000
)

// Kind is which sheet is written: the consoles import each from a workbook of its own.
type Kind string

// The kinds of sheets.
const (
	Topics Kind = "topics"
	Groups Kind = "groups"
)

// Writer writes a workbook that 5.x consoles import.
type Writer struct {
	Kind Kind
	// Template is a workbook of topics that the user exported: its header and its words for message
	// types are used again. The consoles' documentation doesn't tell them.
	Template     []byte
	TemplateName string
}

// table is a sheet as it will be written.
type table struct {
	name    string
	columns []field
	words   []string
	types   map[metadata.MessageType]string
}

// Write writes the workbook.
func (w Writer) Write(to io.Writer, c metadata.Cluster) (metadata.Gaps, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	var gaps metadata.Gaps
	t := groupTable()
	if w.Kind == Topics {
		var err error
		if t, err = w.topicTable(&gaps); err != nil {
			return nil, err
		}
	}
	var rows [][]any
	if w.Kind == Topics {
		for _, one := range c.Topics {
			rows = append(rows, t.topic(one, &gaps))
		}
	} else {
		for _, one := range c.Groups {
			rows = append(rows, t.group(one, &gaps))
		}
	}
	w.tell(c, &gaps)
	return gaps, t.write(to, rows)
}

func groupTable() table {
	return table{
		name:    "ConsumerGroups",
		columns: []field{groupName, groupOrder, retryPolicy, maxTimes, deadLetter, remark},
		words: []string{
			"ConsumerGroupId", "DeliveryOrderType", "ConsumeRetryPolicy", "MaxRetryTimes", "DeadLetterTargetTopic", "Remark",
		},
	}
}

func plainTypes() map[metadata.MessageType]string {
	return map[metadata.MessageType]string{
		"NORMAL": "NORMAL", "FIFO": "FIFO", "DELAY": "DELAY", "TRANSACTION": "TRANSACTION", "LITE": "LITE",
	}
}

// topicTable is the template's sheet, or one by the names of the columns alone.
func (w Writer) topicTable(gaps *metadata.Gaps) (table, error) {
	plain := table{
		name: "Topics", columns: []field{topicName, topicType, remark}, words: []string{"Topic", "MessageType", "Remark"},
		types: plainTypes(),
	}
	if w.Template == nil {
		gaps.Add(
			"header of the topics' sheet",
			"consoles don't document its words: export the topics of any instance, and "+
				"give that workbook as template",
		)
		return plain, nil
	}
	problem := func(err error) error { return &metadata.Problem{In: w.TemplateName, Why: err.Error()} }
	book, err := unpack(w.Template)
	if err != nil {
		return plain, problem(err)
	}
	defer book.Close()
	for _, sheet := range book.GetSheetList() {
		c := metadata.New(metadata.Origin{})
		p := parser{c: &c, rows: map[string]int{}}
		t := table{name: sheet, types: map[metadata.MessageType]string{}}
		if err := rowsOf(book, sheet, t.learn(&p)); err != nil {
			return plain, problem(fmt.Errorf("sheet %q: %w", sheet, err))
		}
		if p.header == 0 || !p.has(topicName) {
			continue
		}
		t.columns, t.words = p.columns, p.words
		for kind, word := range plainTypes() {
			if t.types[kind] == "" {
				t.types[kind] = word
				gaps.Add(
					"words for message types",
					"the template has no topic of them, so the API's word is written",
					string(kind),
				)
			}
		}
		return t, nil
	}
	return plain, problem(errors.New("no sheet has a header of topics"))
}

// learn reads the template's words for message types along with its rows.
func (t *table) learn(p *parser) func(int, []string) error {
	return func(n int, cells []string) error {
		found := p.header > 0
		if err := p.row(n, cells); err != nil {
			return err
		}
		if found && p.has(topicName) {
			if word, _ := p.cell(cells, topicType); word != "" && t.types[types[folded(word)]] == "" {
				t.types[types[folded(word)]] = word
			}
		}
		return nil
	}
}

func (t table) topic(one metadata.Topic, gaps *metadata.Gaps) []any {
	checkName(one.Name, "topics", gaps)
	kind := t.types[one.Type]
	switch {
	case one.Type == "":
		gaps.Add("message type of topics", "nobody said it: fill it in before the import", one.Name)
	case kind == "":
		gaps.Add("message type "+string(one.Type), "5.x consoles have none like it", one.Name)
	}
	return t.row(map[field]any{topicName: one.Name, topicType: kind, remark: short(one.Remark, one.Name, gaps)})
}

func (t table) group(one metadata.Group, gaps *metadata.Gaps) []any {
	checkName(one.Name, "groups", gaps)
	cells := map[field]any{
		groupName: one.Name, deadLetter: one.Retry.DeadLetterTopic, remark: short(one.Remark, one.Name, gaps),
	}
	if one.Orderly == nil {
		gaps.Add(
			"order of groups",
			"nobody said it: fill in "+concurrently+" or "+orderly+" before the import",
			one.Name,
		)
	} else {
		cells[groupOrder] = map[bool]string{false: concurrently, true: orderly}[*one.Orderly]
	}
	switch one.Retry.Policy {
	case metadata.RetryDefault:
		cells[retryPolicy] = defaultRetry
	case metadata.RetryFixed:
		cells[retryPolicy] = fixedRetry
		if len(one.Retry.Milliseconds) > 0 {
			gaps.Add("interval of fixed retries", "the sheet has no column for it", one.Name)
		}
	case "":
		gaps.Add(
			"retry policy of groups",
			"nobody said it: fill in "+defaultRetry+" or "+fixedRetry+" before the import",
			one.Name,
		)
	default:
		gaps.Add(
			"retry policy "+string(one.Retry.Policy),
			"the sheet has no word for it: "+defaultRetry+" is written",
			one.Name,
		)
		cells[retryPolicy] = defaultRetry
	}
	if times := one.Retry.MaxTimes; times != nil {
		cells[maxTimes] = strconv.Itoa(*times)
		if *times > mostTimes || *times < 0 {
			gaps.Add(
				"retry times of groups",
				fmt.Sprintf("consoles take 0 to %d: %d is written", mostTimes, mostTimes),
				one.Name,
			)
			cells[maxTimes] = strconv.Itoa(mostTimes)
		}
	}
	return t.row(cells)
}

func checkName(name, kind string, gaps *metadata.Gaps) {
	if len(name) > longestName {
		gaps.Add(
			"names of "+kind,
			fmt.Sprintf("5.x consoles take %d characters, but on serverless instances", longestName),
			name,
		)
	}
}

func short(text, of string, gaps *metadata.Gaps) string {
	if r := []rune(text); len(r) > longestRemark {
		gaps.Add("remarks", fmt.Sprintf("consoles take %d characters: the rest is cut off", longestRemark), of)
		return string(r[:longestRemark])
	}
	return text
}

func (t table) row(cells map[field]any) []any {
	row := make([]any, len(t.columns))
	for i, column := range t.columns {
		row[i] = cells[column]
	}
	return row
}

func (t table) write(to io.Writer, rows [][]any) error {
	book := excelize.NewFile()
	defer book.Close()
	if err := book.SetSheetName("Sheet1", t.name); err != nil {
		return err
	}
	s, err := book.NewStreamWriter(t.name)
	if err != nil {
		return err
	}
	header := make([]any, len(t.words))
	for i, word := range t.words {
		header[i] = word
	}
	for i, row := range append([][]any{header}, rows...) {
		if err := s.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
			return err
		}
	}
	if err := s.Flush(); err != nil {
		return err
	}
	return book.Write(to)
}

// tell names what the sheet has no column for.
func (w Writer) tell(c metadata.Cluster, gaps *metadata.Gaps) {
	const why = "the sheet has no column for them"
	if w.Kind == Topics {
		if len(c.Topics) > 0 {
			gaps.Add("queues, permission, flags and attributes of topics", why)
		}
	} else {
		for _, g := range c.Groups {
			if g.Broadcast != nil || g.Consume != nil || g.FromMin != nil || g.Notify != nil || len(g.Attributes) > 0 {
				gaps.Add("settings of groups but order and retries", why, g.Name)
			}
			if g.Protocol == "HTTP" {
				gaps.Add("groups of HTTP consumers", "5.x serves no HTTP: their applications need another client", g.Name)
			}
		}
	}
	if len(c.Subscriptions)+len(c.Order)+len(c.KV)+len(c.Users) > 0 {
		gaps.Add("subscriptions, order configuration, other KV, users", "consoles import none")
	}
}
