package doors

import (
	"context"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"rocketshift/internal/failure"
	"rocketshift/internal/metadata"
)

func fileMode(permission uint32) fs.FileMode { return fs.FileMode(permission) }

// shownDifferences is how many a person reads.
const shownDifferences = 200

func (t Terminal) diffCommand() *cobra.Command {
	var in clusterFlags
	var only []string
	by := metadata.Comparison{}
	c := &cobra.Command{
		Use: "diff A B", Short: "List in what the metadata of B differs from that of A", Args: cobra.ExactArgs(2),
		Long: "Compares two clusters or files; each is name servers separated by commas, or files as convert takes them.\n" +
			"It ends with 0 if they are equal, with 6 if they differ. The evidence of subscriptions is no difference. Users are compared as\n" +
			"their clusters write them: rocketshift users diff compares what ACL 1.0 and ACL 2.0 let them do.",
		Example: "  rocketshift metadata diff cluster.yaml 10.0.0.1:9876",
		RunE:    func(c *cobra.Command, args []string) error { return t.diff(c.Context(), [2]string(args), in, only, by) },
	}
	in.add(c.Flags())
	c.Flags().
		BoolVar(&by.OnlyKnown, "only-known", false, "leave out what one of them doesn't tell: settings, and kinds "+
			"of objects of which it has none, as when one of them is a sheet")
	c.Flags().StringSliceVar(&only, "only", nil,
		"a kind of objects to compare: "+strings.Join(kinds, ", ")+"; all without it, and brokers")
	c.Flags().
		IntVar(&by.Most, "most", shownDifferences, "how many differences are listed; all are counted; 0 lists all")
	return c
}

// diffDocument is what -o json prints.
type diffDocument struct {
	metadata.Differences
	ExitCode int `json:"exitCode"`
}

func (t Terminal) diff(
	ctx context.Context, of [2]string, in clusterFlags, only []string, by metadata.Comparison,
) error {
	if err := knownKinds(only); err != nil {
		return err
	}
	from, _, err := t.read(ctx, of[:1], in)
	if err != nil {
		return err
	}
	to, _, err := t.read(ctx, of[1:], in)
	if err != nil {
		return err
	}
	keep(&from, only)
	keep(&to, only)
	if len(only) > 0 {
		from.Brokers, to.Brokers = nil, nil
	}
	found := metadata.Diff(from, to, by)
	code := failure.Done
	if found.Total > 0 {
		code = failure.Differs
	}
	t.Exit(code)
	if t.JSON() {
		t.Document(diffDocument{found, code})
		return nil
	}
	for _, d := range found.List {
		t.Say("%s", line(d))
	}
	if rest := found.Total - len(found.List); rest > 0 {
		t.Say("… and %d more; --most 0 lists all", rest)
	}
	if found.Total == 0 {
		t.Say("equal: %d topics, %d groups, %d subscriptions", len(to.Topics), len(to.Groups), len(to.Subscriptions))
	}
	return nil
}

// line is a difference for people.
func line(d metadata.Difference) string {
	switch d.Change {
	case metadata.Added:
		return "+ " + d.Object
	case metadata.Removed:
		return "- " + d.Object
	case metadata.Changed:
	}
	return "~ " + d.Object + ": " + d.Field + " " + orNone(d.From) + " → " + orNone(d.To)
}

func orNone(value string) string {
	if value == "" {
		return "(unknown)"
	}
	return value
}
