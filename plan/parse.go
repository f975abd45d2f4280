package plan

// Parse reads a plan from JSON.
func Parse(b []byte) (Plan, error) { panic("stub") }

// Validate checks the plan.
func (p Plan) Validate() error { panic("stub") }
