package activities

import "context"

// Describe says where the target is; it never starts one.
func (p *Purchase) Describe(ctx context.Context, r Request) (PurchaseResult, error) { panic("stub") }

// State measures how far all lanes are, on the brokers.
func (r *Replication) State(ctx context.Context, q Request) (ReplicationState, error) { panic("stub") }

// Moved lists the groups that an earlier move opened on the target: fenced on every broker of the source, open on the target.
func (t *Traffic) Moved(ctx context.Context, r GroupsRequest) ([]string, error) { panic("stub") }

// Plus adds the counts of two parts of one verification; the later measurement's time stands.
func (v Verification) Plus(o Verification) Verification {
	v.Lanes += o.Lanes
	v.Compared += o.Compared
	v.Natives += o.Natives
	v.Missing += o.Missing
	v.Extra += o.Extra
	v.Altered += o.Altered
	v.OutOfOrder += o.OutOfOrder
	v.Examples = append(v.Examples, o.Examples...)
	if len(v.Examples) > maxExamples {
		v.Examples = v.Examples[:maxExamples]
	}
	v.Measured = o.Measured
	return v
}

// maxExamples is how many differences a verification names: enough to find the cause, few enough to read.
const maxExamples = 10
