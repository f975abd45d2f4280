package api

import "time"

// LedgerRow is one kind of unfinished things on the source.
type LedgerRow struct {
	Kind   string `json:"kind"` // lag, retry, dead letters, delayed, half messages, consumers, producers
	Object string `json:"object"`
	Rest   int64  `json:"rest"`
	Detail string `json:"detail,omitempty"`
}

// Ledger is the list of what is still unfinished on the source before it may be retired.
type Ledger struct {
	Rows List[LedgerRow] `json:"rows"` // the largest rests first; a kind without rest is one row with Rest 0
	Rest int64           `json:"rest"`
	// Stragglers are messages that were written on the source after producers had left it, by
	// topic. They are on the target, too, and no rest.
	Stragglers List[LedgerRow] `json:"stragglers,omitzero"`
	// Drift are groups whose settings aren't on the target as on the source; no rest either.
	Drift    List[LedgerRow] `json:"drift,omitzero"`
	Measured time.Time       `json:"measured"`
}
