package activities

import (
	"context"
	"time"
)

// LedgerRow is one kind of unfinished business on the source.
type LedgerRow struct {
	Kind   string `json:"kind"` // lag, retry, dead letters, delayed, half messages, consumers, producers
	Object string `json:"object"`
	Rest   int64  `json:"rest"`
	Detail string `json:"detail,omitempty"`
}

// Ledger is the list of what is still unfinished on the source before it may be retired.
type Ledger struct {
	Rows     []LedgerRow `json:"rows"` // rests above zero first; a kind without rest is one row with Rest 0
	Rest     int64       `json:"rest"`
	Measured time.Time   `json:"measured"`
}

// Ledgers measures what is unfinished on the source.
type Ledgers struct{ settings Settings }

// NewLedgers returns the activities of Finalize.
func NewLedgers(s Settings) *Ledgers { return &Ledgers{s.withDefaults()} }

// Ledger lists what is still unfinished on the source.
func (l *Ledgers) Ledger(ctx context.Context, r Request) (Ledger, error) { panic("stub") }
