// Package version says which release a program is, and answers people who only ask for that, or for
// help.
package version

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// release is set where there is no version control to ask, as in an image:
//
//	go build -ldflags "-X rocketshift/internal/version.release=v1.2.3"
var release string

// Line names a program, its release, and what it was built from and by, on one line.
func Line(program string) string {
	info, _ := debug.ReadBuildInfo()
	return line(program, release, info)
}

func line(program, release string, info *debug.BuildInfo) string {
	settings := map[string]string{}
	if info != nil {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if release == "" {
			release = info.Main.Version
		}
	}
	if release == "" || release == "(devel)" {
		release = "devel"
	}
	var from []string
	if commit := settings["vcs.revision"]; commit != "" {
		const short = 12 // as many digits as pseudo-versions have
		text := "commit " + commit[:min(short, len(commit))]
		if settings["vcs.modified"] == "true" {
			text += " and more"
		}
		from = append(from, text)
	}
	from = append(from, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return fmt.Sprintf("%s %s (%s)", program, release, strings.Join(from, ", "))
}

// Answer prints the version or the help if the first argument asks for it, and reports whether it
// did: the program has no more to do then. help ends with a line break.
func Answer(out io.Writer, program, help string, args []string) bool {
	if len(args) == 0 {
		return false
	}
	switch {
	case slices.Contains([]string{"-version", "--version", "version"}, args[0]):
		fmt.Fprintln(out, Line(program))
	case slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]):
		fmt.Fprint(out, help)
	default:
		return false
	}
	return true
}
