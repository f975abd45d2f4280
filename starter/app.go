package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/internal/printable"
	"rocketshift/internal/version"
	"rocketshift/plan"
	"rocketshift/starter/doors"
	"rocketshift/starter/metadataapply"
	"rocketshift/starter/page"
	"rocketshift/starter/remote"
	"rocketshift/starter/users"
)

// app is one run of the command line, with all that it touches, so that tests run it in process.
type app struct {
	stdin     io.Reader
	stdout    io.Writer
	stderr    io.Writer
	lookupEnv func(string) (string, bool)
	connect   func(context.Context) (remote.Service, error)
	now       func() time.Time
	pace      time.Duration // between two looks of --watch and --wait
	local     localTargets  // nil: those of this project

	output  string
	stage   string
	patient time.Duration // how long a worker may take to answer
	parsed  bool          // flags and arguments are fine: an error from here on is not the usage
	code    int
}

const (
	// watchPace is what people can follow; a look costs a query only if something has happened.
	watchPace = time.Second
	// defaultPatience is more than a busy worker needs, and what somebody at a terminal waits.
	defaultPatience = 15 * time.Second
)

func newApp(stdin io.Reader, stdout, stderr io.Writer, lookupEnv func(string) (string, bool)) *app {
	return &app{
		stdin: stdin, stdout: stdout, stderr: stderr, lookupEnv: lookupEnv,
		connect: remote.Connect, now: time.Now, pace: watchPace, output: outputText,
	}
}

const (
	outputText     = "text"
	outputJSON     = "json"
	outputTable    = "table" // another name of text
	outputMarkdown = "markdown"
)

// moreOutputs is the annotation of commands with outputs besides text and json, separated by
// commas.
const moreOutputs = "outputs"

func outputsOf(c *cobra.Command) []string {
	all := []string{outputText, outputJSON}
	if more := c.Annotations[moreOutputs]; more != "" {
		all = append(all, strings.Split(more, ",")...)
	}
	return all
}

// run executes one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return a.code
	}
	var f *failure.Error
	if !a.parsed && !errors.As(err, &f) {
		err = failure.Usage("see rocketshift --help", "%w", err)
	}
	return a.fail(err, asksJSON(args))
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use: "rocketshift", Short: "Moves live applications from RocketMQ 4.x to 5.x, step by step, and back " +
			"if need be",
		Long: "rocketshift moves live applications from a RocketMQ 4.x cluster to a 5.x " +
			"one.\nConnection: TEMPORAL_ADDRESS and the other TEMPORAL_* settings of the temporal CLI.",
		Version:       version.Line("rocketshift"),
		SilenceErrors: true, SilenceUsage: true, CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if allowed := outputsOf(c); !slices.Contains(allowed, a.output) {
				return failure.Usage("", "-o %q: allowed: %s", a.output, strings.Join(allowed, ", "))
			}
			a.parsed = true
			return nil
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.PersistentFlags().
		StringVarP(&a.output, "output", "o", outputText, "text or json; json prints one document on standard "+
			"output, where something is watched one per look")
	root.PersistentFlags().DurationVar(&a.patient, "timeout", defaultPatience, "how long a worker may take to answer")
	root.AddCommand(a.planCommand(), a.startCommand(), a.statusCommand(), a.approveCommand(),
		a.releasedCommand(), a.reportCommand(), a.lanesCommand(), a.answerCommand(), a.rateCommand(),
		a.steerCommand(api.HoldName, "Stop before the next step, until resume"),
		a.steerCommand(api.ResumeName, "Go on after a hold"),
		a.steerCommand(api.BackName, "Return everything to the source; needs no approval"), a.copyCommand(),
		a.assessCommand(), a.doctorCommand(), a.metadataCommand(), a.targetsCommand(),
		users.Command(a.screenOfUsers()), newExitCodesTopic())
	return root
}

// metadataCommand is metadata with what is below it.
func (a *app) metadataCommand() *cobra.Command {
	lookup := func(name string) (string, bool) { return a.lookupEnv(name) }
	now, exit := func() time.Time { return a.now() }, func(code int) { a.code = code }
	c := doors.Command(doors.Terminal{
		Stdin: a.stdin, Stdout: a.stdout, LookupEnv: lookup, Now: now, JSON: a.json, Document: a.document,
		Say: a.say, Warn: a.warn, Exit: exit,
	})
	c.AddCommand(metadataapply.Command(metadataapply.Terminal{
		Stdin: a.stdin, LookupEnv: lookup, Now: now, JSON: a.json, Document: a.document, Say: a.say, Warn: a.warn,
		Exit: exit,
	}))
	return c
}

// screenOfUsers is how the commands about users speak.
func (a *app) screenOfUsers() users.Screen {
	return users.Screen{
		LookupEnv: func(name string) (string, bool) { return a.lookupEnv(name) },
		JSON:      a.json, Say: a.say, Document: a.document, Exit: func(code int) { a.code = code },
	}
}

// asksJSON finds -o json before flags are parsed, since parsing may be what fails.
func asksJSON(args []string) bool {
	for i, arg := range args {
		if slices.Contains([]string{"-ojson", "-o=json", "--output=json"}, arg) {
			return true
		}
		if (arg == "-o" || arg == "--output") && i+1 < len(args) && args[i+1] == outputJSON {
			return true
		}
	}
	return false
}

// fail tells the error: one document in JSON mode, else a sentence, and each problem of a plan or a
// copy on its own line.
func (a *app) fail(err error, asJSON bool) int {
	doc := failure.DocumentOf(err)
	if asJSON {
		a.document(doc)
		return doc.ExitCode
	}
	if len(doc.Problems) > 1 {
		a.warn("rocketshift: %s %d problems:", doc.Of, len(doc.Problems))
		for _, p := range doc.Problems {
			a.warn("  %s", p)
		}
		return doc.ExitCode
	}
	a.warn("rocketshift: %s", err)
	return doc.ExitCode
}

func (a *app) json() bool { return a.output == outputJSON }

// document prints one JSON document on one line.
func (a *app) document(doc any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(doc)
	if err == nil {
		_, err = a.stdout.Write(printable.JSON(a.whole(text.Bytes())))
	}
	if err != nil {
		a.warn("rocketshift: print the result: %s", err)
	}
}

// say prints a line for people; JSON mode has none on standard output. Whatever it says, the
// terminal only shows it: what clients, brokers and other people named is in it.
func (a *app) say(format string, args ...any) {
	a.picture(printable.Lines(fmt.Sprintf(format, args...)))
}

// picture prints lines with colours, made of what was made printable before.
func (a *app) picture(lines string) {
	if !a.json() {
		fmt.Fprintln(a.stdout, lines)
	}
}

// warn prints a line for people next to any output.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintln(a.stderr, printable.Lines(fmt.Sprintf(format, args...)))
}

// withService connects for the length of one command.
func (a *app) withService(ctx context.Context, do func(remote.Service) error) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

// within limits one exchange with a worker.
func (a *app) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.patient)
}

// workflowID is the migration's workflow, or that of the stage named by --stage.
func (a *app) workflowID(name string) (string, error) {
	if a.stage == "" {
		return plan.WorkflowID(name), nil
	}
	for _, kind := range stageTypes() {
		if id := api.StageID(plan.Plan{Name: name}, kind); kind == a.stage || id == plan.WorkflowID(name)+"-"+a.stage {
			return id, nil
		}
	}
	return "", failure.Usage("", "--stage %q: allowed: %s", a.stage, strings.Join(stageTypes(), ", "))
}

func stageTypes() []string {
	return []string{
		api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
		api.VerifyType, api.ShiftType, api.EndPhaseType, api.FinalizeType, api.RollbackType,
	}
}

func (a *app) stageFlag(c *cobra.Command) {
	c.Flags().
		StringVar(&a.stage, "stage", "", "talk to a stage that was started alone, such as Verify, instead of "+
			"the migration")
}

// oneName refuses anything but exactly one migration name.
func oneName(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return failure.Usage("", "want exactly one argument: the migration's name (name in the plan)")
	}
	return nil
}

// screen is the terminal behind standard output, or false if it is none, or if TERM says that it
// can't be redrawn.
func (a *app) screen() (width int, ok bool) {
	f, isFile := a.stdout.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	if kind, _ := a.lookupEnv("TERM"); kind == "dumb" {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil
}

// colour reports whether to colour: on a terminal, and NO_COLOR is not set (no-color.org).
func (a *app) colour() bool {
	no, _ := a.lookupEnv("NO_COLOR")
	_, ok := a.screen()
	return ok && no == ""
}

// page is how a status is shown here.
func (a *app) page() page.Page { return page.Page{Colour: a.colour(), Now: a.now} }
