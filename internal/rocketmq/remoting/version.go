package remoting

import (
	"strconv"
	"strings"
)

// Earlier compares versions such as 4.7.1; false where one can't be read.
func Earlier(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range min(len(a), len(b)) {
		x, errX := strconv.Atoi(a[i])
		y, errY := strconv.Atoi(b[i])
		if errX != nil || errY != nil {
			return false
		}
		if x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}
