// Package doors is the command `rocketshift metadata`: topics, groups and what belongs to them, from a
// cluster or files to a model that lies in Git, and from there to sheets and scripts. It needs no
// Temporal.
package doors

import (
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Terminal is what a command touches.
type Terminal struct {
	Stdin     io.Reader
	Stdout    io.Writer
	LookupEnv func(string) (string, bool)
	Now       func() time.Time
	JSON      func() bool        // -o json was asked for
	Document  func(document any) // prints JSON
	Say, Warn func(format string, args ...any)
	Exit      func(code int) // the exit code of a command that did its work
}

const long = `Reads topics, consumer groups, subscriptions, order configuration and users' rights, and writes them elsewhere.
Clusters are only read. What a file or sheet can't carry is named on standard error when it is used.`

// Command is the command with all that are below it.
func Command(t Terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "metadata", Short: "Read, convert and compare topics and groups of clusters, files and sheets; needs no Temporal",
		Long: long,
	}
	c.AddCommand(t.exportCommand(), t.convertCommand(), t.diffCommand())
	return c
}
