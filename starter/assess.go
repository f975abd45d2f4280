package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/assess"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
	"rocketshift/internal/printable"
	"rocketshift/plan"
	"rocketshift/starter/page"
)

const assessLong = `Looks at the source, and at the target if it exists, and says what speaks against a migration, why, and what to do; then
what is recommended, with the evidence. It needs no Temporal, writes nothing, and is safe on production: at most --rate calls
a second go to both sides together, a few of them at the same time. It is the look of the stage Assess.

Without --plan, --from names the source's name servers, and all of its topics and groups are looked at.
Exit codes: 0 nothing is refused, 7 something is, 1 and 2 it couldn't look.

Keys come from the environment: with --credentials OLD they are OLD_ACCESS_KEY and OLD_SECRET_KEY. Those that a plan names need
ROCKETSHIFT_SECRETS, as at a worker.`

const assessExample = `  rocketshift assess --from 10.0.0.1:9876
  rocketshift assess --from 203.0.113.7:9876 --source-address 10.1.0.7:10911=203.0.113.7:10911
  rocketshift assess --plan plan.yaml -o markdown > assessment.md`

func (a *app) assessCommand() *cobra.Command {
	var f assess.Flags
	var file string
	c := &cobra.Command{
		Use: "assess (--plan plan.yaml | --from NAMESERVERS)", Short: "Say what speaks against a migration, and what to do; needs no Temporal",
		Long: assessLong, Example: assessExample, Args: cobra.NoArgs,
		Annotations: map[string]string{moreOutputs: outputTable + "," + outputMarkdown},
		RunE: func(c *cobra.Command, _ []string) error {
			p, err := a.assessedPlan(file, f)
			if err != nil {
				return err
			}
			return a.assess(c.Context(), p, f)
		},
	}
	c.Flags().StringVar(&file, "plan", "", "the plan, YAML or JSON; - reads standard input")
	sideFlags(c, &f)
	c.Flags().DurationVar(&f.Observe, "observe", 0,
		"watch who connects for so long before assessing, such as 24h; Ctrl-C ends it and keeps what was seen")
	c.Flags().
		StringVar(&f.Seen, "seen", "", "the file that keeps what was seen, which several runs add to, and findings use")
	return c
}

// sideFlags say which clusters are looked at, and how gently.
func sideFlags(c *cobra.Command, f *assess.Flags) {
	flags := c.Flags()
	flags.StringSliceVar(&f.From, "from", nil, "the source's name servers, host:port, several separated by commas")
	flags.StringVar(&f.Cluster, "cluster", "", "the source's own name, where its name servers know several clusters")
	flags.StringToStringVar(&f.Reached, "source-address", nil,
		"where a server of the source is reached that advertises another address (NAT, Kubernetes), ADVERTISED=REACHED; "+
			"may be given several times")
	flags.StringSliceVar(&f.LeftOut, "leave-out", nil,
		"a broker of the source that isn't looked at: what it holds stays there; may be given several times")
	flags.StringSliceVar(&f.ReadSlaves, "read-slave", nil,
		"a broker of the source that is read from its slave while it has no master; may be given several times")
	flags.StringVar(&f.Credentials, "credentials", "", "prefix of the environment variables with the source's keys")
	flags.StringSliceVar(&f.Target, "target", nil, "the name servers of a target that exists already")
	flags.StringVar(&f.TargetProxy, "target-proxy", "", "instead of --target, the remoting port of its 5.x proxy")
	flags.StringVar(&f.TargetCluster, "target-cluster", "",
		"the target's own name, where its name servers know several clusters")
	flags.StringToStringVar(&f.TargetReached, "target-address", nil, "as --source-address, for the target")
	flags.StringVar(&f.TargetCredentials, "target-credentials", "",
		"prefix of the environment variables with the target's keys")
	flags.Float64Var(
		&f.Rate,
		"rate",
		connect.DefaultRate,
		"most calls per second to both sides together; 0 is no bound",
	)
}

// assessedPlan is the plan of the file, or what the flags mean.
func (a *app) assessedPlan(file string, f assess.Flags) (plan.Plan, error) {
	switch {
	case f.Rate < 0:
		return plan.Plan{}, failure.Usage("", "--rate %g: want calls per second, or 0 for no bound", f.Rate)
	case f.Observe < 0 || f.Observe > mostObserved:
		return plan.Plan{}, failure.Usage("", "--observe %s: want up to %s", f.Observe, mostObserved)
	case f.Observe > 0 && f.Seen == "":
		return plan.Plan{}, failure.Usage("", "--observe keeps what it sees in a file: name it by --seen FILE")
	case file != "" && f.OfClusters():
		return plan.Plan{}, failure.Usage("write it into the plan (docs/reference/plan.md)",
			"--plan says which clusters are meant: leave --from, --target and what is said of them out")
	case file != "":
		return a.readPlan(file, nil)
	case len(f.From) == 0:
		return plan.Plan{}, failure.Usage(
			"",
			"which cluster: give its name servers by --from host:port, or --plan plan.yaml",
		)
	}
	if f.OfTarget() {
		return plan.Plan{}, failure.Usage("", "--target-address and --target-cluster need a target: give --target")
	}
	return f.Plan()
}

// mostObserved is longer than any week has rhythms.
const mostObserved = 30 * 24 * time.Hour

// errEnded says that a person ended the observation, which has done what it was to do.
var errEnded = errors.New("ended")

func (a *app) assess(ctx context.Context, p plan.Plan, f assess.Flags) error {
	_, report, err := a.assessed(ctx, p, f)
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	a.code = report.ExitCode
	switch a.output {
	case outputJSON:
		a.document(report)
	case outputMarkdown:
		return report.Markdown(a.stdout)
	default:
		a.showAssessment(report)
	}
	return nil
}

// assessed looks, and tells on standard error how far it is.
func (a *app) assessed(
	ctx context.Context, p plan.Plan, f assess.Flags,
) (api.Assessment, assess.Report, error) {
	root, err := lab.Root()
	if err != nil {
		root = "" // only a target of provider local is looked for there
	}
	run, err := assess.New(p, f, a.lookupEnv, root)
	if err != nil {
		return api.Assessment{}, assess.Report{}, err
	}
	defer run.Close()
	if f.Observe > 0 {
		if err := run.Observe(ctx, a.now, func(text string) { a.warn("%s", text) }); err != nil {
			return api.Assessment{}, assess.Report{}, err
		}
		if ctx.Err() != nil {
			a.warn(
				"ended: what was seen is in %s; the same command goes on, and assess --seen %s uses it",
				f.Seen,
				f.Seen,
			)
			return api.Assessment{}, assess.Report{}, errEnded
		}
	}
	told := a.now()
	found, report, err := run.Assess(ctx, a.now, func(text string) {
		if a.now().Sub(told) >= linesPause {
			told = a.now()
			a.warn("looking: %s", text)
		}
	})
	if err != nil && ctx.Err() != nil {
		err = failure.Broken("nothing was changed", "interrupted")
	}
	return found, report, err
}

// showAssessment prints the report for people.
func (a *app) showAssessment(r assess.Report) {
	a.say("Source   %s at %s", r.Clusters(), strings.Join(r.Source, ", "))
	a.say("Measured %s, in %s", r.MeasuredAt.Local().Format(time.DateTime),
		time.Duration(r.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	colours := map[api.Severity]page.Colour{api.SeverityRefusal: page.Red, api.SeverityWarning: page.Yellow}
	for _, f := range printable.All(r.Findings, printable.Text) {
		a.say("")
		a.picture(a.page().Paint(colours[f.Severity], string(f.Severity)) + " " + f.ID + ": " + f.Object)
		a.say("  found     %s", f.Cause)
		if f.Why != "" {
			a.say("  why       %s", f.Why)
		}
		a.say("  do        %s", f.Next)
		for _, e := range f.Evidence {
			a.say("  evidence  %s", e)
		}
	}
	for _, s := range printable.All(r.Sections(), printable.Text) {
		t := page.NewTable(strings.ToLower(s.Title), "recommended", "why")
		for i, row := range s.Rows {
			if i == mostRows {
				t.AppendRow(table.Row{"", "and more: all of them with -o json", ""})
				break
			}
			t.AppendRow(table.Row{row.Object, row.What, row.Why})
		}
		a.say("")
		a.picture(t.Render())
	}
	a.say("\n%s", r.Verdict())
}

// mostRows is how many recommendations of a kind people read.
const mostRows = 50
