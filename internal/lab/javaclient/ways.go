package javaclient

import "os/exec"

// Ways is the program of a client of that version which sends in every way that it has, and reads
// in every way. It keeps its files in a folder. Errors: those of Compiled.
func Ways(version, home string, args ...string) (*exec.Cmd, error) {
	classPath, java, err := Compiled(version, "javaclient", "Ways")
	if err != nil {
		return nil, err
	}
	c := exec.Command(java, append(append(optionsOf(home), "-cp", classPath, "Ways"), args...)...)
	c.Dir = home
	return c, nil
}
