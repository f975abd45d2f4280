package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"rocketshift/internal/assess"
	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

func (a *app) planCommand() *cobra.Command {
	var file string
	var f assess.Flags
	c := &cobra.Command{
		Use: "plan (-f plan.yaml | --from NAMESERVERS)", Short: "Check a plan and print it with its defaults and its hash, or write a first one",
		Long: planLong, Example: planExample, Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(f.From) > 0 {
				return a.firstPlan(c.Context(), file, args, f)
			}
			p, err := a.readPlan(file, args)
			if err != nil {
				return err
			}
			return a.printPlan(p)
		},
	}
	fileFlag(c, &file)
	sideFlags(c, &f)
	c.Flags().StringVar(&f.Name, "name", "", "the migration's name in the plan that --from writes")
	return c
}

func fileFlag(c *cobra.Command, file *string) {
	c.Flags().StringVarP(file, "file", "f", "", "the plan, YAML or JSON; - reads standard input")
}

func (a *app) printPlan(p plan.Plan) error {
	if a.json() {
		a.document(struct {
			Plan       plan.Plan `json:"plan"`
			Hash       string    `json:"hash"`
			WorkflowID string    `json:"workflowId"`
			ExitCode   int       `json:"exitCode"`
		}{p, p.Hash(), p.WorkflowID(), failure.Done})
		return nil
	}
	text, err := remote.InOrder(p)
	if err != nil {
		return failure.Broken("", "print the plan: %w", err)
	}
	a.say("# plan %s, hash %s: valid; everything left out is filled in below", p.Name, p.Hash())
	_, err = a.stdout.Write(text)
	return err
}

// readPlan reads the file of -f, or of the only argument.
func (a *app) readPlan(file string, args []string) (plan.Plan, error) {
	if file == "" && len(args) == 1 {
		file = args[0]
	} else if len(args) > 0 {
		return plan.Plan{}, failure.Usage("", "one plan at a time: %q and %q were given", file, args[0])
	}
	if file == "" {
		return plan.Plan{}, failure.Usage("an example is docs/examples/orders-2026.yaml",
			"no plan: give its file by -f plan.yaml")
	}
	text, err := a.readFile(file)
	if err != nil {
		return plan.Plan{}, err
	}
	p, err := parsePlan(file, text)
	if err == nil {
		if err := p.CheckSize(); err != nil {
			return p, failure.Usage("", "%w", err)
		}
	}
	return p, err
}

func (a *app) readFile(file string) ([]byte, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = readLimited(a.stdin)
	} else {
		var f *os.File
		if f, err = os.Open(file); err == nil {
			defer f.Close()
			text, err = readLimited(f)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failure.Usage("an example is docs/examples/orders-2026.yaml",
			"the plan's file %s is not there", file)
	case err != nil:
		return nil, failure.Usage("", "read the plan's file: %w", err)
	}
	return text, nil
}

// readLimited reads at most one byte more than a plan may have: the parser then says that it is too
// long.
func readLimited(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, plan.MaxBytes+1)) }

// parsePlan turns YAML into JSON, refusing keys that are there twice, and reads the plan from that.
// JSON is YAML too.
func parsePlan(file string, text []byte) (plan.Plan, error) {
	if len(text) > plan.MaxBytes {
		return plan.Plan{}, failure.Usage("use globs instead of lists of names",
			"%s is longer than the %d bytes that a plan may have", file, plan.MaxBytes)
	}
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return plan.Plan{}, failure.Usage("", "%s is neither YAML nor JSON: %w", file, err)
	}
	p, err := plan.Parse(asJSON)
	if err != nil {
		return plan.Plan{}, failure.Usage("", "%s: %w", file, err)
	}
	return p, nil
}

const planLong = `Checks a plan and prints it with its defaults and its hash.

With --from it writes a first plan instead: it looks at the source as assess does, and writes what it found and recommends as a
plan with comments, to --file if that isn't there yet, else to standard output. It needs no Temporal, and changes nothing on the
source.`

const planExample = `  rocketshift plan --from 10.0.0.1:9876 --file plan.yaml
  rocketshift plan plan.yaml`

// firstPlan writes a plan for what is on the source.
func (a *app) firstPlan(ctx context.Context, file string, args []string, f assess.Flags) error {
	if len(args) > 0 {
		return failure.Usage("", "--from writes a plan, and %q is one: leave one of them out", args[0])
	}
	if _, err := os.Stat(file); file != "" && file != "-" && err == nil {
		return failure.Usage("", "%s is there already: name another file, or take it away", file)
	}
	p, err := a.assessedPlan("", f)
	if err != nil {
		return err
	}
	found, report, err := a.assessed(ctx, p, f)
	if err != nil {
		return err
	}
	p = assess.Fitted(p, found)
	text := assess.PlanFile(p, report)
	written, err := parsePlan("the plan", []byte(text))
	if err != nil {
		return failure.Broken("write it by hand: docs/write-a-plan.md", "the plan for this source isn't one: %w", err)
	}
	switch {
	case file != "" && file != "-":
		if err := writeNew(file, text); err != nil {
			return err
		}
		a.warn("%s is written. %s Next: rocketshift assess --plan %s", file, report.Verdict(), file)
		if a.json() {
			return a.printPlan(written)
		}
	case a.json():
		return a.printPlan(written)
	default:
		_, err = fmt.Fprint(a.stdout, text)
	}
	return err
}

// writeNew writes a file that isn't there yet.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return failure.Usage("", "%s is there already: name another file, or take it away", file)
	}
	if err != nil {
		return failure.Usage("", "write the plan: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
