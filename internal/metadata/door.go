package metadata

import (
	"context"
	"io"
)

// Reader is a door in: it reads a cluster or files. What it returns is sorted and checked. The gaps
// are what the door doesn't tell of this cluster, or what was ambiguous.
type Reader interface {
	Read(ctx context.Context) (Cluster, Gaps, error)
}

// Writer is a door out: it writes a document. The gaps are what the document can't carry of this
// cluster. A cluster that Check refuses isn't written.
type Writer interface {
	Write(to io.Writer, c Cluster) (Gaps, error)
}

// Problem is what is wrong with something that a door reads.
type Problem struct {
	In  string // the file or server
	At  string // the sheet, row, or key; may be empty
	Why string // what is there, and what is wanted
}

// Error names the place first.
func (p *Problem) Error() string {
	if p.At == "" {
		return p.In + ": " + p.Why
	}
	return p.In + ": " + p.At + ": " + p.Why
}
