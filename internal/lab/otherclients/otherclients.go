// Package otherclients has programs of stock clients in other languages than Java and Go, for
// tests: make clients installs the clients.
package otherclients

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"rocketshift/internal/lab"
)

// Command is the program of a language, node or python, with its arguments. It keeps its files in a
// folder. Errors: the client isn't installed.
func Command(language, home string, args ...string) (*exec.Cmd, error) {
	root, err := lab.Root()
	if err != nil {
		return nil, err
	}
	installed := filepath.Join(root, ".cache", "clients", language)
	if _, err := os.Stat(filepath.Join(installed, ".complete")); err != nil {
		return nil, fmt.Errorf("the client for %s isn't there: run make clients", language)
	}
	here := filepath.Join(root, "internal", "lab", "otherclients")
	program, script := "node", filepath.Join(here, "ways.js")
	if language == "python" {
		program, script = filepath.Join(installed, "bin", "python"), filepath.Join(here, "ways.py")
	}
	c := exec.Command(program, append([]string{script}, args...)...)
	c.Dir = home
	c.Env = append(os.Environ(), "HOME="+home, "NODE_PATH="+filepath.Join(installed, "node_modules"))
	return c, nil
}
