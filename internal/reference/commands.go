package reference

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Flags are a program's own flags: what each takes, what it is if absent, what it is for.
func Flags(flags *pflag.FlagSet) string {
	var rows [][]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		rows = append(rows, []string{Code(name), kind, Code(usual(f)), angled.Replace(usage)})
	})
	if len(rows) == 0 {
		return ""
	}
	return Table([]string{"flag", "takes", "if absent", "meaning"}, rows)
}

// angled keeps <words> from being taken for HTML.
var angled = strings.NewReplacer("<", `\<`)

// usual is what a flag is if absent, where that says anything.
func usual(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "[]", "false", "0", "0s":
		return ""
	}
	return f.DefValue
}

// Commands are all commands below one, each with its own flags.
func Commands(root *cobra.Command) string {
	var out strings.Builder
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Runnable() {
			out.WriteString("## `" + c.UseLine() + "`\n\n" + c.Short + ".\n\n")
			if c.Long != "" {
				out.WriteString("```text\n" + strings.TrimSpace(c.Long) + "\n```\n\n")
			}
			if flags := Flags(c.LocalNonPersistentFlags()); flags != "" {
				out.WriteString(flags + "\n")
			}
		}
		out.WriteString(Commands(c))
	}
	return out.String()
}
