package activities

import (
	"context"
)

// ReportRequest writes the report of a migration. Document is the status as the workflow ends.
type ReportRequest struct {
	Name     string `json:"name"`
	Document any    `json:"document"`
}

// ReportResult is where the report lies, relative to the project or the worker's report folder.
type ReportResult struct {
	Path string `json:"path"`
}

// Reports writes reports.
type Reports struct{ settings Settings }

// NewReports returns the activities of reports.
func NewReports(s Settings) *Reports { return &Reports{s.withDefaults()} }

// Write writes the report as JSON and as a Markdown page.
func (w *Reports) Write(ctx context.Context, r ReportRequest) (ReportResult, error) { panic("stub") }
