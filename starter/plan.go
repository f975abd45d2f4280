package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

func (a *app) planCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "plan -f plan.yaml", Short: "Check a plan and print it with its defaults and its hash", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.readPlan(file, args)
			if err != nil {
				return err
			}
			return a.printPlan(p)
		},
	}
	fileFlag(c, &file)
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
