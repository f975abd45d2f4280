package main

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a number of bytes on the command line.
type size int64

var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// mostSize is more than any machine has, and far from what an int64 can't hold.
const mostSize = 1 << 50

// Set reads a number with a unit, such as 512MiB, or of bytes.
func (s *size) Set(text string) error {
	for _, u := range units {
		digits, found := strings.CutSuffix(text, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 1 || n > mostSize/u.bytes {
			break
		}
		*s = size(n * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is no size: give a whole number with KiB, MiB or GiB, such as 512MiB", text)
}

// String writes it with the largest unit of which it is a multiple.
func (s *size) String() string {
	for _, u := range units {
		if n := int64(*s); n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return ""
}

// Type is what help calls it.
func (*size) Type() string { return "size" }
