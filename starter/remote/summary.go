package remote

import (
	"encoding/json"
	"fmt"
	"strings"

	goyaml "go.yaml.in/yaml/v2"

	"rocketshift/plan"
)

// InOrder is the plan as YAML with its keys as they are documented, not by the alphabet.
func InOrder(p plan.Plan) ([]byte, error) {
	asJSON, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var ordered goyaml.MapSlice // JSON is YAML too
	if err := goyaml.Unmarshal(asJSON, &ordered); err != nil {
		return nil, err
	}
	return goyaml.Marshal(ordered)
}

// SummaryOf is the line that the Web UI shows for the workflow.
func SummaryOf(p plan.Plan) string {
	target := p.Target.Provider
	if p.Target.Provider == plan.ProviderLocal {
		target += " " + p.Target.Version
	} else {
		target += " " + strings.Join(p.Target.Addresses(), ", ")
	}
	line := fmt.Sprintf("%s: %s to %s, plan %s", p.Name, strings.Join(p.Source.NameServers, ", "), target, p.Hash())
	const limit = 180 // Temporal takes 200 bytes
	if len(line) > limit {
		line = line[:limit] + "..."
	}
	return line
}

// DetailsOf is the plan as its writer knows it, for the Web UI.
func DetailsOf(p plan.Plan) string {
	const limit = 15_000 // Temporal takes 20,000 bytes
	text, err := InOrder(p)
	if err != nil || len(text) > limit {
		return fmt.Sprintf("Plan `%s` of %d bytes: see the input.", p.Hash(), len(text))
	}
	return fmt.Sprintf("Plan `%s`, with defaults:\n\n```yaml\n%s```\n\nStatus: `rocketshift status %s --watch`",
		p.Hash(), text, p.Name)
}
