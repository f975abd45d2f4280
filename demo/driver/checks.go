package driver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"rocketshift/internal/lab"
)

// programs of the project that the demo runs; make builds them into bin.
var programs = []string{
	"rocketshift",
	"rocketshift-worker",
	"rocketshift-gateway",
	"rocketshift-demo-app",
	"rocketshift-demo-app5",
	"temporal",
}

const (
	// needDisk is what servers reserve and logs take: three brokers with files of 64 MB and up, and
	// room to spare.
	needDisk = 3 << 30
	// fullDisk is where brokers begin to refuse messages (diskMaxUsedSpaceRatio of the lab's
	// brokers).
	fullDisk = 0.95
)

// check says everything that is missing at once, each in a sentence with what to do.
func check(root string) (lab.Files, error) {
	files, err := lab.FindFiles(root)
	errs := []error{err}
	if err == nil {
		for _, version := range []string{sourceVersion, targetVersion} {
			if found, _ := filepath.Glob(filepath.Join(files.Jars, version, "*.jar")); len(found) == 0 {
				errs = append(errs,
					fmt.Errorf("the jars of RocketMQ %s are missing in %s: run \"make jars\"", version, files.Jars))
			}
		}
	}
	for _, name := range programs {
		if _, err := os.Stat(filepath.Join(root, "bin", name)); err != nil {
			errs = append(errs, fmt.Errorf("bin/%s is missing: run \"make build\"", name))
		}
	}
	return files, errors.Join(append(errs, checkDisk(root))...)
}

func checkDisk(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	return judgeDisk(dir, uint64(s.Bavail)*uint64(s.Bsize), uint64(s.Blocks)*uint64(s.Bsize))
}

func judgeDisk(dir string, free, size uint64) error {
	const gib = 1 << 30
	if free < needDisk {
		return fmt.Errorf("the disk of %s has %.1f GB left and the demo needs %d: free some", dir,
			float64(free)/gib, needDisk/gib)
	}
	if used := 1 - float64(free)/float64(size); used > fullDisk {
		return fmt.Errorf("the disk of %s is %.0f%% full and brokers refuse messages from %.0f%% on: free some",
			dir, used*100, fullDisk*100)
	}
	return nil
}
