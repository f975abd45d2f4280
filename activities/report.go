package activities

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/files"
	"rocketshift/internal/printable"
	"rocketshift/internal/report"
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

// reportName keeps the report inside its folder, whatever the request says.
var reportName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Write writes the report as JSON, for programs, and as a Markdown page, for people; a repeated
// call replaces both. What the status has in documents stands in the report itself; a document that
// can't be read stays a reference there, so that the report is written whatever the store does. The
// result is the page's path.
func (w *Reports) Write(ctx context.Context, r ReportRequest) (_ ReportResult, err error) {
	defer explained(&err)
	if !reportName.MatchString(r.Name) {
		return ReportResult{}, fault.Invalid("name %q: a report is named like its plan, with a-z, 0-9 and -", r.Name)
	}
	whole, lost, err := lists.WithDocuments(ctx, w.settings.Store, r.Document)
	if err != nil {
		return ReportResult{}, err
	}
	if status, is := whole.(map[string]any); is && len(lost) > 0 {
		status[report.LostKey] = lost
	}
	document, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		return ReportResult{}, fault.Invalid("the report of %s can't be written as JSON: %v", r.Name, err)
	}
	page, err := report.Page(document)
	if err != nil {
		return ReportResult{}, fault.Invalid("the report of %s isn't a migration's status: %v", r.Name, err)
	}
	if err := os.MkdirAll(w.settings.Reports, 0o755); err != nil {
		return ReportResult{}, err
	}
	path := filepath.Join(w.settings.Reports, r.Name)
	if err := replaceReport(path+".json", append(printable.JSON(document), '\n')); err != nil {
		return ReportResult{}, err
	}
	if err := replaceReport(path+".md", page); err != nil {
		return ReportResult{}, err
	}
	return ReportResult{Path: w.relative(path + ".md")}, nil
}

// relative names the file as people know it: from the root down, else from the report folder.
func (w *Reports) relative(path string) string {
	if short, err := filepath.Rel(w.settings.Root, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return filepath.Base(path)
}

// replaceReport replaces one of its files; an attempt that was given up may do so too.
func replaceReport(path string, content []byte) error {
	return files.Replacement{Path: path, Permission: 0o644, Several: true}.With(content)
}
