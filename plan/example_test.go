package plan_test

import (
	"errors"
	"fmt"

	"rocketshift/plan"
)

// A plan is read strictly, completed with its defaults, and known by its hash.
func ExampleParse() {
	p, err := plan.Parse([]byte(`{
		"name": "orders",
		"source": {"nameServers": ["10.0.0.1:9876"]},
		"target": {"provider": "local"},
		"shift": {"steps": [10, 100]}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	p = p.WithDefaults()
	fmt.Println(p.WorkflowID(), p.Traffic.Mode, p.Shift.Steps)
	fmt.Println(p.Validate())
	// Output:
	// migration-orders release [10 100]
	// <nil>
}

// All that is wrong is told at once, each problem with its place.
func ExamplePlan_Validate() {
	p := plan.Plan{Name: "Orders", Target: plan.Target{Provider: "somewhere"}}
	var wrong *plan.Problems
	if errors.As(p.WithDefaults().Validate(), &wrong) {
		for _, one := range wrong.List {
			fmt.Println(one.Path)
		}
	}
	// Output:
	// name
	// source.nameServers
	// target.provider
}

// Steps share the topics out; what reads a topic moves with it.
func ExamplePlan_Waves() {
	p := plan.Plan{Name: "orders", Shift: plan.Shift{Steps: []int{50, 100}}}
	for _, w := range p.Waves(map[string][]string{"orders": {"billing"}, "clicks": {"reports"}}) {
		fmt.Println(w.Step, w.Topics, w.Groups)
	}
	// Output:
	// 50 [clicks] [reports]
	// 100 [orders] [billing]
}
