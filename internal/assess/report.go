package assess

import (
	"time"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/internal/findings"
)

// Report is what the command tells.
type Report struct {
	Source        []string            `json:"source"` // name servers
	SourceVersion string              `json:"sourceVersion"`
	Brokers       []string            `json:"brokers"`
	Topics        int                 `json:"topics"`
	Queues        int                 `json:"queues"`
	Messages      int64               `json:"messages"`
	Groups        int                 `json:"groups"`
	Clients       []api.ClientVersion `json:"clients,omitempty"`
	Findings      []Finding           `json:"findings"`
	Refusals      int                 `json:"refusals"`
	Recommended   *api.Recommended    `json:"recommended,omitempty"`
	MeasuredAt    time.Time           `json:"measuredAt"`
	Seconds       float64             `json:"seconds"`
	ExitCode      int                 `json:"exitCode"`
}

// Finding is a finding with what the catalogue says of its kind.
type Finding struct {
	api.Finding
	Title string `json:"title,omitempty"`
	Why   string `json:"why,omitempty"`
}

// ReportOf is an assessment as the command tells it.
func ReportOf(a api.Assessment, source []string, took time.Duration) Report {
	s := api.Summarize(a)
	r := Report{
		Source: source, SourceVersion: a.SourceVersion, Brokers: a.SourceBrokers, Topics: s.Topics,
		Queues: s.Queues, Messages: s.Messages, Groups: s.Groups, Clients: a.Clients, Findings: []Finding{},
		Refusals: s.Refusals, Recommended: a.Recommended, MeasuredAt: a.MeasuredAt, Seconds: took.Seconds(),
	}
	if r.Refusals > 0 {
		r.ExitCode = failure.Refused
	}
	for _, f := range a.Findings {
		f.Severity = f.Level()
		entry, _ := findings.Of(f.ID)
		r.Findings = append(r.Findings, Finding{f, entry.Title, entry.Why})
	}
	return r
}
