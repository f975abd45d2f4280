package activities

import (
	"context"
	"time"
)

// VerifyRequest compares the lanes of some topics.
type VerifyRequest struct {
	Request
	Topics []string `json:"topics"`
}

// Verification sums lane reports. Clean means that nothing is missing, extra, altered or out of order.
type Verification struct {
	Lanes      int       `json:"lanes"`
	Compared   int64     `json:"compared"`
	Natives    int64     `json:"natives"`
	Missing    int64     `json:"missing"`
	Extra      int64     `json:"extra"`
	Altered    int64     `json:"altered"`
	OutOfOrder int64     `json:"outOfOrder"`
	Examples   []string  `json:"examples,omitempty"`
	Measured   time.Time `json:"measured"`
}

// Clean reports whether the comparison found no difference and compared every lane.
func (v Verification) Clean() bool {
	return v.Missing == 0 && v.Extra == 0 && v.Altered == 0 && v.OutOfOrder == 0
}

// Verifier compares lanes.
type Verifier struct{ settings Settings }

// NewVerifier returns the activities of Verify.
func NewVerifier(s Settings) *Verifier { return &Verifier{s.withDefaults()} }

// Verify compares every lane of the topics by content over the copied range.
func (v *Verifier) Verify(ctx context.Context, r VerifyRequest) (Verification, error) { panic("stub") }
