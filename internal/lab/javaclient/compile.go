package javaclient

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"rocketshift/internal/lab"
)

var compiling sync.Mutex

// Compiled returns the class path of a program in a folder of internal/lab, which it compiles if
// that wasn't done before, and the java to run it. It is an error if the jars of that version, or a
// JDK, are missing.
func Compiled(version, folder, program string) (classPath, java string, err error) {
	root, err := lab.Root()
	if err != nil {
		return "", "", err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return "", "", err
	}
	jars := filepath.Join(files.Jars, version)
	if _, err := os.Stat(filepath.Join(jars, ".complete")); err != nil {
		return "", "", fmt.Errorf("the client of version %s isn't there: run make jars", version)
	}
	source := filepath.Join(root, "internal", "lab", folder, program+".java")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(text)
	classes := filepath.Join(root, ".cache", "java", version, program+"-"+hex.EncodeToString(sum[:6]))
	libraries := filepath.Join(jars, "*")
	classPath = classes + string(filepath.ListSeparator) + libraries
	compiling.Lock()
	defer compiling.Unlock()
	if _, err := os.Stat(classes); err == nil {
		return classPath, files.Java, nil
	}
	return classPath, files.Java, compile(files.Java, libraries, source, classes)
}

// compile puts the classes into their folder all at once: another process may do the same.
func compile(java, libraries, source, classes string) error {
	if err := os.MkdirAll(filepath.Dir(classes), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(classes), "compiling-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	javac := filepath.Join(filepath.Dir(java), "javac")
	if out, err := exec.Command(javac, "-nowarn", "-d", dir, "-cp", libraries, source).CombinedOutput(); err != nil {
		return fmt.Errorf("compile %s (a JDK is needed, not only a JRE): %w: %s", source, err, out)
	}
	if err := os.Rename(dir, classes); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(classes); there != nil {
			return err
		}
	}
	return nil
}
