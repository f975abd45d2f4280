package doors

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rocketshift/internal/failure"
	"rocketshift/internal/files"
	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/script"
	"rocketshift/internal/metadata/sheet"
)

// outFlags are what is written, and where.
type outFlags struct {
	format, file, template, gaps string
	only                         []string
	measured                     bool
}

// Formats of what is written.
const (
	asYAML   = "yaml"
	asJSON   = "json"
	asXLSX   = "xlsx"
	asScript = "script"
)

// kinds are what --only takes.
var kinds = []string{"topics", "groups", "subscriptions", "order", "kv", "users"}

func (f *outFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVarP(
		&f.format,
		"output",
		"o",
		asYAML,
		"yaml or json, the model; xlsx, the sheet that 5.x consoles import "+
			"(with --file, and --only topics or --only groups); script, mqadmin commands",
	)
	flags.StringVar(&f.file, "file", "", "file that gets it, replaced as a whole; standard output without it")
	flags.StringSliceVar(
		&f.only,
		"only",
		nil,
		"a kind of objects to write: "+strings.Join(kinds, ", ")+"; all without it",
	)
	flags.StringVar(
		&f.template,
		"template",
		"",
		"workbook of topics that the console exported: -o xlsx --only topics uses "+
			"its header and words, which are documented nowhere",
	)
	flags.StringVar(
		&f.gaps,
		"gaps",
		"",
		"file that gets what wasn't carried, as JSON; it is told on standard error too",
	)
	flags.BoolVar(
		&f.measured,
		"measured",
		false,
		"write when it was read; without it two exports of the same state are "+
			"the same bytes",
	)
}

func (t Terminal) exportCommand() *cobra.Command {
	var from []string
	var in clusterFlags
	var out outFlags
	c := &cobra.Command{
		Use: "export", Short: "Read a cluster, or files, and write the model of its metadata", Args: cobra.NoArgs,
		Example: "  rocketshift metadata export --from 10.0.0.1:9876 --file cluster.yaml\n" +
			"  rocketshift metadata export --from broker-a=/data/a/store,broker-b=/data/b/store -o script",
		RunE: func(c *cobra.Command, _ []string) error { return t.convert(c.Context(), from, in, out) },
	}
	c.Flags().
		StringSliceVar(&from, "from", nil, "the cluster's name servers, host:port; or files and folders as convert "+
			"takes them; several separated by commas")
	in.add(c.Flags())
	out.add(c)
	return c
}

const convertLong = `Reads files of one cluster together, and writes them in another form. It takes
  models          as export wrote them; - reads one from standard input
  store folders   of brokers, with topics.json, subscriptionGroup.json, consumerOffset.json, or these files alone;
                  broker-a=FOLDER names the broker where the files don't; kvConfig.json of a name server
  mqadmin exports metadata.json, topic.json, subscriptionGroup.json, configs.json; exportMetadata -c adds up the queues
                  of all brokers: name these by --broker, or give configs.json too; broker-a=topic.json for one of -b
  workbooks       .xlsx of topics or groups that a 4.x or 5.x console exported
  ACL 1.0         plain_acl.yml, conf/acl and its files: users and rights, without secrets`

func (t Terminal) convertCommand() *cobra.Command {
	var in clusterFlags
	var out outFlags
	c := &cobra.Command{
		Use: "convert FILE...", Short: "Write files of metadata in another form", Long: convertLong,
		Args: cobra.MinimumNArgs(
			1,
		), Example: "  rocketshift metadata convert cluster.yaml -o xlsx --only groups --file groups.xlsx",
		RunE: func(c *cobra.Command, args []string) error { return t.convert(c.Context(), args, in, out) },
	}
	in.addFiles(c.Flags())
	out.add(c)
	return c
}

// convert reads what is named and writes it.
func (t Terminal) convert(ctx context.Context, named []string, in clusterFlags, out outFlags) error {
	w, err := out.writer()
	if err != nil {
		return err
	}
	c, gaps, err := t.read(ctx, named, in)
	if err != nil {
		return err
	}
	c.Origin.Measured = c.Origin.Measured.UTC()
	if out.measured {
		c.Origin.Measured = t.Now().UTC().Truncate(1e9)
	}
	keep(&c, out.only)
	var text bytes.Buffer
	told, err := w.Write(&text, c)
	if err != nil {
		return failure.Usage("", "%w", err)
	}
	gaps.Join(told)
	for _, g := range gaps {
		t.Warn("not carried: %s", g)
	}
	if err := out.keepGaps(gaps); err != nil {
		return err
	}
	if out.file == "" {
		_, err = t.Stdout.Write(text.Bytes())
		return err
	}
	if err := replace(out.file, "--file", text.Bytes(), out.permission()); err != nil {
		return err
	}
	t.Warn("%s: %d topics, %d groups, %d subscriptions", out.file, len(c.Topics), len(c.Groups), len(c.Subscriptions))
	return nil
}

func (f outFlags) permission() uint32 {
	if f.format == asScript {
		return 0o755
	}
	return 0o644
}

func replace(path, flag string, content []byte, permission uint32) error {
	r := files.Replacement{Path: path, Permission: fileMode(permission), Several: true}
	if err := r.With(content); err != nil {
		return failure.Usage("give a file that can be written", "%s %s: %w", flag, path, err)
	}
	return nil
}

func (f outFlags) keepGaps(gaps metadata.Gaps) error {
	if f.gaps == "" {
		return nil
	}
	text, err := json.MarshalIndent(append(metadata.Gaps{}, gaps...), "", "  ")
	if err != nil {
		return err
	}
	return replace(f.gaps, "--gaps", append(text, '\n'), 0o644)
}

// writer is the door out that is asked for.
func (f outFlags) writer() (metadata.Writer, error) {
	if err := knownKinds(f.only); err != nil {
		return nil, err
	}
	if f.template != "" && (f.format != asXLSX || !slices.Equal(f.only, kinds[:1])) {
		return nil, failure.Usage("add -o xlsx --only topics", "--template is for the sheet of topics")
	}
	switch f.format {
	case asYAML, asJSON:
		return metadata.Document{AsJSON: f.format == asJSON}, nil
	case asScript:
		return script.Writer{}, nil
	case asXLSX:
		return f.sheet()
	}
	return nil, failure.Usage("", "-o %q: allowed: %s, %s, %s, %s", f.format, asYAML, asJSON, asXLSX, asScript)
}

func (f outFlags) sheet() (metadata.Writer, error) {
	if f.file == "" {
		return nil, failure.Usage("add --file topics.xlsx", "a workbook isn't for a terminal")
	}
	if len(f.only) != 1 || !slices.Contains(kinds[:2], f.only[0]) {
		return nil, failure.Usage("consoles import each from a workbook of its own",
			"-o xlsx needs --only topics or --only groups")
	}
	w := sheet.Writer{Kind: sheet.Kind(f.only[0]), TemplateName: f.template}
	if f.template != "" {
		var err error
		if w.Template, err = sheet.Load(f.template); err != nil {
			return nil, failure.Usage("", "--template: %w", err)
		}
	}
	return w, nil
}

// keep takes away what isn't asked for.
// knownKinds judges --only.
func knownKinds(only []string) error {
	for _, kind := range only {
		if !slices.Contains(kinds, kind) {
			return failure.Usage("", "--only %q: allowed: %s", kind, strings.Join(kinds, ", "))
		}
	}
	return nil
}

func keep(c *metadata.Cluster, only []string) {
	if len(only) == 0 {
		return
	}
	if !slices.Contains(only, "topics") {
		c.Topics = nil
	}
	if !slices.Contains(only, "groups") {
		c.Groups = nil
	}
	if !slices.Contains(only, "subscriptions") {
		c.Subscriptions = nil
	}
	if !slices.Contains(only, "order") {
		c.Order = nil
	}
	if !slices.Contains(only, "kv") {
		c.KV = nil
	}
	if !slices.Contains(only, "users") {
		c.Users = nil
	}
}
