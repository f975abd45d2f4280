package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
	"rocketshift/internal/printable"
	"rocketshift/starter/remote"
)

func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "report NAME", Short: "Print the report of a migration that ended", Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			id, err := a.workflowID(args[0])
			if err != nil {
				return err
			}
			return a.withService(c.Context(), func(s remote.Service) error { return a.report(c.Context(), s, id) })
		},
	}
}

// report prints the file that the worker wrote, if it lies on this machine, and else the workflow's
// result: it says the same.
func (a *app) report(ctx context.Context, s remote.Service, id string) error {
	snap, err := a.look(ctx, s, id)
	if err != nil {
		return err
	}
	if snap.Running {
		return failure.Usage("see rocketshift status "+snap.Name,
			"%s still runs (%s); the report is written when it ends", id, snap.State)
	}
	a.code = snap.ExitCode
	if a.json() {
		doc := struct {
			Path     string `json:"path,omitempty"`
			Report   any    `json:"report"`
			ExitCode int    `json:"exitCode"`
		}{snap.Report, snap.Status, snap.ExitCode}
		if text, _ := a.findReport(snap.Report, ".json"); json.Valid(text) {
			doc.Report = json.RawMessage(text)
		}
		a.document(doc)
		return nil
	}
	if text, path := a.findReport(snap.Report, ".md"); path != "" {
		a.warn("%s", path)
		_, err := io.WriteString(a.stdout, printable.Lines(string(text)))
		return err
	}
	if snap.Report != "" {
		a.warn("the report %s does not lie on this machine; this is the workflow's result", snap.Report)
	}
	a.picture(a.page().Table(snap))
	return nil
}

// findReport looks where the worker may have written: its path is relative to the data root or the
// reports' folder.
func (a *app) findReport(path, extension string) (text []byte, found string) {
	if path == "" {
		return nil, ""
	}
	path = strings.TrimSuffix(path, filepath.Ext(path)) + extension
	roots := []string{""}
	for _, name := range []string{"ROCKETSHIFT_REPORTS", "ROCKETSHIFT_HOME"} {
		if root, ok := a.lookupEnv(name); ok && root != "" {
			roots = append(roots, root)
		}
	}
	if root, err := lab.Root(); err == nil {
		roots = append(roots, root)
	}
	for _, root := range roots {
		candidate := path
		if !filepath.IsAbs(path) {
			candidate = filepath.Join(root, path)
		}
		if text, err := os.ReadFile(candidate); err == nil {
			return text, candidate
		}
	}
	return nil, ""
}
