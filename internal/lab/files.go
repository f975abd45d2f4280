package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

const (
	homeVariable = "ROCKETSHIFT_HOME"
	moduleLine   = `(?m)^module rocketshift$`
	oldestJava   = 17 // the settings of the servers' JVMs are proven from this version on
)

// Files are the places of the programs that the lab runs.
type Files struct {
	Jars string `json:"jars"` // folder with one folder of jars per RocketMQ version
	Java string `json:"java"` // path of the java program
}

// FindFiles finds the programs below the project's root, or says what is missing and how to get it.
// Start checks the jars of a version.
func FindFiles(root string) (Files, error) {
	java, err := findJava()
	if err != nil {
		return Files{}, err
	}
	jars := filepath.Join(root, ".cache", "jars")
	if _, err := os.Stat(jars); err != nil {
		return Files{}, missingJars(jars)
	}
	return Files{Jars: jars, Java: java}, nil
}

// Root returns the project's root: ROCKETSHIFT_HOME, or the folder at or above the working
// directory that holds rocketshift's go.mod.
func Root() (string, error) {
	if home := os.Getenv(homeVariable); home != "" {
		return filepath.Abs(home)
	}
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && regexp.MustCompile(moduleLine).Match(mod) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the rocketshift project: change to it, or set %s", start,
				homeVariable)
		}
	}
}

func findJava() (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("no java found (%s): install version %d or newer and put it on the PATH", java,
			oldestJava)
	}
	out, err := exec.Command(path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w: install Java %d or newer and put it on the PATH", path, err, oldestJava)
	}
	if major := javaMajor(string(out)); major < oldestJava {
		return "", fmt.Errorf("%s is version %d: install version %d or newer and put it first on the PATH",
			path, major, oldestJava)
	}
	return path, nil
}

// javaMajor reads the major version from what java -version prints: "17.0.15", "21" or the old
// style "1.8.0_402".
func javaMajor(printed string) int {
	found := regexp.MustCompile(`version "(?:1\.)?(\d+)`).FindStringSubmatch(printed)
	if found == nil {
		return 0
	}
	major, _ := strconv.Atoi(found[1]) // digits, by the pattern
	return major
}

// classPath returns the class path of a version's servers. The stamp .complete is what
// tools/jars/fetch.sh writes last.
func (f Files) classPath(version string) (string, error) {
	dir := filepath.Join(f.Jars, version)
	if _, err := os.Stat(filepath.Join(dir, ".complete")); errors.Is(err, fs.ErrNotExist) {
		return "", missingJars(dir)
	} else if err != nil {
		return "", fmt.Errorf("jars of RocketMQ %s: %w", version, err)
	}
	return filepath.Join(dir, "*"), nil
}

func missingJars(dir string) error {
	return fmt.Errorf("RocketMQ's jars are missing in %s: run \"make jars\"", dir)
}
