package sheet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"rocketshift/internal/metadata"
)

// Reader reads all sheets of topics and groups of a workbook.
type Reader struct {
	File string
}

// Read reads the workbook. Other sheets, such as one with instructions, are left out, which is a gap.
func (r Reader) Read(context.Context) (metadata.Cluster, metadata.Gaps, error) {
	packed, err := Load(r.File)
	if err != nil {
		return metadata.Cluster{}, nil, err
	}
	return Parse(r.File, packed)
}

// Parse reads a workbook that is in memory; errors name the file.
func Parse(file string, packed []byte) (metadata.Cluster, metadata.Gaps, error) {
	c := metadata.New(metadata.Origin{Door: "xlsx"})
	p := parser{c: &c, rows: map[string]int{}}
	book, err := unpack(packed)
	if err != nil {
		return c, nil, &metadata.Problem{In: file, Why: err.Error()}
	}
	defer book.Close()
	read := 0
	for _, sheet := range book.GetSheetList() {
		p.columns, p.header = nil, 0
		err := rowsOf(book, sheet, p.row)
		if err == nil && p.header > 0 {
			err = mergedFrom(book, sheet, p.header)
		}
		if err != nil {
			return c, nil, problem(file, sheet, err)
		}
		if p.header == 0 {
			p.gaps.Add("sheets", "they have no header of topics or groups and aren't read", strconv.Quote(sheet))
			continue
		}
		read++
	}
	if read == 0 {
		return c, nil, &metadata.Problem{In: file, Why: wrongSheets(book, p.first)}
	}
	if err := c.Check(); err != nil {
		return c, nil, &metadata.Problem{In: file, Why: err.Error()}
	}
	p.tell()
	c.Sort()
	return c, p.gaps, nil
}

func problem(file, sheet string, err error) error {
	where := "sheet " + strconv.Quote(sheet)
	var p *placed
	if errors.As(err, &p) {
		where += fmt.Sprintf(", row %d", p.row)
	}
	return &metadata.Problem{In: file, At: where, Why: err.Error()}
}

func wrongSheets(book *excelize.File, first string) string {
	names := book.GetSheetList()
	return fmt.Sprintf("no sheet has a header of topics (Topic, MessageType, Remark) or groups (ConsumerGroupId, "+
		"DeliveryOrderType, …) in its first %d rows; the sheets are %.300q, and the first row is %.300s", headerWithin, names, first)
}

// headerWithin is how many rows may stand above the header, such as a title or instructions.
const headerWithin = 20

// parser reads the rows of one sheet after the other.
type parser struct {
	c       *metadata.Cluster
	gaps    metadata.Gaps
	header  int // row; 0 until it is found
	columns []field
	words   []string       // of the header
	rows    map[string]int // of names
	first   string         // the first row of the workbook, for people
}

func (p *parser) row(n int, cells []string) error {
	if p.first == "" {
		p.first = strconv.Quote(strings.Join(cells, " | "))
	}
	if p.header == 0 {
		if n <= headerWithin {
			p.find(n, cells)
		}
		return nil
	}
	if p.has(groupName) {
		return p.group(n, cells)
	}
	return p.topic(n, cells)
}

// find takes a row as header if it names topics or groups, and says more of them.
func (p *parser) find(n int, cells []string) {
	columns, known := make([]field, len(cells)), 0
	for i, word := range cells {
		columns[i] = headers[folded(word)]
		if columns[i] != unknown {
			known++
		}
	}
	p.columns = columns
	if known < 2 || p.has(topicName) == p.has(groupName) {
		p.columns = nil
		return
	}
	p.header, p.words = n, cells
	for i, word := range cells {
		if columns[i] == unknown && word != "" {
			p.gaps.Add("columns", "this release doesn't know them", strconv.Quote(word))
		}
	}
}

func (p *parser) has(f field) bool {
	for _, c := range p.columns {
		if c == f {
			return true
		}
	}
	return false
}

// cell is what a row has in a column, and where; of repeated columns, the first.
func (p *parser) cell(cells []string, f field) (text, column string) {
	for i, c := range p.columns {
		if c == f {
			name, _ := excelize.ColumnNumberToName(i + 1)
			if i < len(cells) {
				text = cells[i]
			}
			return text, fmt.Sprintf("column %s (%s)", name, p.words[i])
		}
	}
	return "", ""
}

// name reads a row's name, and refuses one that is there already.
func (p *parser) name(n int, cells []string, f field, kind string) (string, error) {
	name, column := p.cell(cells, f)
	if err := metadata.CheckName(name); err != nil {
		return "", at(n, "%s: %w", column, err)
	}
	if before, twice := p.rows[kind+name]; twice {
		return "", at(n, "%s: %s %s is there already, in row %d", column, kind, name, before)
	}
	p.rows[kind+name] = n
	return name, nil
}

func (p *parser) topic(n int, cells []string) error {
	name, err := p.name(n, cells, topicName, "topic")
	if err != nil {
		return err
	}
	t := metadata.Topic{Name: name}
	if word, column := p.cell(cells, topicType); word != "" {
		var known bool
		if t.Type, known = types[folded(word)]; !known {
			return at(
				n,
				"%s: %.60q is no message type that is known: want Normal, FIFO, Delay or Transaction",
				column,
				word,
			)
		}
		if globalOrder[folded(word)] {
			p.gaps.Add("order over all messages of topics", "FIFO keeps order by message group alone", name)
		}
	}
	t.Remark, _ = p.cell(cells, remark)
	p.c.Topics = append(p.c.Topics, t)
	return nil
}

func (p *parser) group(n int, cells []string) error {
	name, err := p.name(n, cells, groupName, "group")
	if err != nil {
		return err
	}
	g := metadata.Group{Name: name}
	if word, column := p.cell(cells, groupOrder); word != "" {
		is, known := orders[folded(word)]
		if !known {
			return at(n, "%s: %.60q: want %s or %s", column, word, concurrently, orderly)
		}
		g.Orderly = &is
	}
	if word, column := p.cell(cells, retryPolicy); word != "" {
		var known bool
		if g.Retry.Policy, known = policies[folded(word)]; !known {
			return at(n, "%s: %.60q: want %s or %s", column, word, defaultRetry, fixedRetry)
		}
	}
	if word, column := p.cell(cells, maxTimes); word != "" {
		times, err := strconv.Atoi(word)
		if err != nil || times < -1 || times > math.MaxInt32 {
			return at(n, "%s: %.60q: want a whole number from 0 to %d", column, word, mostTimes)
		}
		g.Retry.MaxTimes = &times
	}
	if word, column := p.cell(cells, groupProtocol); word != "" {
		g.Protocol = strings.ToUpper(folded(word))
		if g.Protocol != "TCP" && g.Protocol != "HTTP" {
			return at(n, "%s: %.60q: want TCP or HTTP", column, word)
		}
	}
	g.Retry.DeadLetterTopic, _ = p.cell(cells, deadLetter)
	g.Remark, _ = p.cell(cells, remark)
	p.c.Groups = append(p.c.Groups, g)
	return nil
}

// tell names what no sheet has.
func (p *parser) tell() {
	const why = "a console's sheets don't tell them"
	if len(p.c.Topics) > 0 {
		p.gaps.Add("queues, permission, flags and attributes of topics", why)
	}
	if len(p.c.Groups) > 0 {
		p.gaps.Add("settings of groups but order and retries", why)
	}
	p.gaps.Add("subscriptions, order configuration, other KV, users", why)
}
