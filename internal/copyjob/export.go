package copyjob

import (
	"os"

	"rocketshift/internal/failure"
	"rocketshift/replicator/verify"
)

// CheckFile checks, before anything is copied, whether the file for differences can be written.
func (q Request) CheckFile() error {
	if q.differences == "" {
		return nil
	}
	file, err := os.OpenFile(q.differences, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return failure.Usage("give a file that can be written", "--differences: %w", err)
	}
	return file.Close()
}

// exporting runs a comparison and writes its differences to the file that was asked for, if any.
// The file is made anew, and stays empty when nothing differs.
func (c *Job) exporting(compare func() error) error {
	if c.differences == "" {
		return compare()
	}
	file, err := os.Create(c.differences)
	if err != nil {
		return failure.Broken("everything is copied: the same command compares again", "--differences: %w", err)
	}
	tell, failed := verify.WriteDifferences(file)
	c.tell = tell
	err = compare()
	c.tell = nil
	if errClose := file.Close(); err == nil && failed() == nil {
		return errClose
	}
	if err == nil {
		return failed()
	}
	return err
}
