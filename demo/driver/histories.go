package driver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
)

// saveHistories writes the history of every workflow of the run to the folder of the options, as
// the replay tests read them: <prefix>-<stage>.json. Names of this machine are taken out, so that a
// fixture tells of the migration alone.
func (d *demo) saveHistories(ctx context.Context) error {
	if d.o.Histories == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(d.o.Histories), 0o755); err != nil {
		return err
	}
	for _, e := range d.result.Workflows {
		text, err := d.history(ctx, e.ID)
		if err != nil {
			return fmt.Errorf("history of %s: %w", e.ID, err)
		}
		stage := strings.TrimPrefix(strings.TrimPrefix(e.ID, "migration-"+d.o.Name), "-")
		if stage == "" {
			stage = "migration"
		}
		if err := os.WriteFile(d.o.Histories+"-"+stage+".json", []byte(d.anonymous(text)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) history(ctx context.Context, id string) (string, error) {
	var h history.History
	events := d.sdk.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return "", err
		}
		h.Events = append(h.Events, e)
	}
	b, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&h)
	return string(b), err
}

func (d *demo) anonymous(text string) string {
	if host, err := os.Hostname(); err == nil && host != "" {
		text = strings.ReplaceAll(text, host, "worker-host")
	}
	return strings.ReplaceAll(text, d.o.Root, ".")
}
