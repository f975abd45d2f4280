package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"rocketshift/internal/files"
	"rocketshift/internal/metadata"
)

// Bounds of a workbook. 10,000 topics take 0.3 MB, and 3 MB unpacked.
const (
	mostPacked   = 16 << 20
	mostUnpacked = 32 << 20 // of all parts together, as they declare it; a part that is longer is refused
	mostParts    = 1000
	mostSheets   = 50
	mostRows     = 100_000 // of a sheet, empty ones among them
	mostColumns  = 200
)

// Load reads a workbook as bytes.
func Load(file string) ([]byte, error) {
	packed, err := files.ReadBounded(file, mostPacked)
	if err != nil {
		return nil, &metadata.Problem{In: file, Why: err.Error()}
	}
	return packed, nil
}

// unpack opens a workbook whose size is bounded.
func unpack(packed []byte) (book *excelize.File, err error) {
	defer recovered(&err)
	switch {
	case len(packed) == 0:
		return nil, errors.New("it is empty")
	case bytes.HasPrefix(packed, []byte("\xd0\xcf\x11\xe0")):
		return nil, errors.New("it is an .xls of old, or has a password: save it as .xlsx without a password")
	}
	parts, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, fmt.Errorf("it is no .xlsx, or not written whole: %w", err)
	}
	var size uint64
	for _, p := range parts.File {
		size += min(p.UncompressedSize64, mostUnpacked+1)
	}
	if len(parts.File) > mostParts || size > mostUnpacked {
		return nil, fmt.Errorf(
			"it unpacks to more than %d MB or %d parts, the most that is read",
			mostUnpacked>>20,
			mostParts,
		)
	}
	book, err = excelize.OpenReader(bytes.NewReader(packed), excelize.Options{
		UnzipSizeLimit: mostUnpacked, UnzipXMLSizeLimit: mostUnpacked, RawCellValue: true,
	})
	if err != nil {
		return nil, fmt.Errorf("it is no .xlsx, or damaged: %w", err)
	}
	if n := len(book.GetSheetList()); n > mostSheets {
		return nil, fmt.Errorf("it has %d sheets; at most %d are read", n, mostSheets)
	}
	return book, nil
}

// recovered turns a panic of the library, which hostile workbooks can cause, into an error.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("it is damaged: %.200v", cause)
	}
}

// rowsOf walks a sheet's rows, numbered from 1; empty ones are left out but counted.
func rowsOf(book *excelize.File, sheet string, do func(row int, cells []string) error) (err error) {
	defer recovered(&err)
	rows, err := book.Rows(sheet)
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		if n > mostRows {
			return at(
				n,
				"the sheet has more rows than %d, the most that is read: delete those without content",
				mostRows,
			)
		}
		cells, err := rows.Columns()
		if err != nil {
			return at(n, "%w", err)
		}
		if len(cells) > mostColumns {
			return at(n, "it has more columns than %d, the most that is read", mostColumns)
		}
		empty := true
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
			empty = empty && cells[i] == ""
		}
		if empty {
			continue
		}
		if err := do(n, cells); err != nil {
			return err
		}
	}
	return rows.Error()
}

// placed is an error at a place of a sheet.
type placed struct {
	row int
	err error
}

func (p *placed) Error() string { return p.err.Error() }

func at(row int, format string, args ...any) error {
	return &placed{row, fmt.Errorf(format, args...)}
}

// mergedFrom finds cells that are merged, from a row on: what they mean for single rows is a guess.
func mergedFrom(book *excelize.File, sheet string, row int) (err error) {
	defer recovered(&err)
	merged, err := book.GetMergeCells(sheet, true)
	if err != nil {
		return err
	}
	for _, m := range merged {
		_, last, err := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err != nil {
			return err
		}
		if last >= row {
			return at(
				last,
				"cells %s to %s are merged: unmerge them, and fill each row",
				m.GetStartAxis(),
				m.GetEndAxis(),
			)
		}
	}
	return nil
}
