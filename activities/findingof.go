package activities

// Finding is something that Assess saw. A refusal stops the migration before anything is bought or written.
type Finding struct {
	Refusal bool   `json:"refusal"`
	Object  string `json:"object"`
	Cause   string `json:"cause"`
	Next    string `json:"next"`
}

// gatewayObject is the object of all findings about gateways.
const gatewayObject = "gateway"

// OfGateway reports whether the finding is about how gateways stood: they may stand otherwise soon
// after, as they are started for the shift.
func (f Finding) OfGateway() bool { return !f.Refusal && f.Object == gatewayObject }

// WithoutGateways are the findings that aren't about gateways: for whoever has heard of these
// since. Of a list in a document it is the first ones that are told.
func WithoutGateways(all List[Finding]) List[Finding] {
	return all.Without(Finding.OfGateway)
}
