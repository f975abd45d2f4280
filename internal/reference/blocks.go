package reference

import "regexp"

// block is a block of code, with its language.
var block = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// Blocks are the blocks of code of a page that have a language. Those without one, "", are to be
// typed.
func Blocks(page, language string) (all []string) {
	for _, found := range block.FindAllStringSubmatch(page, -1) {
		if found[1] == language {
			all = append(all, found[2])
		}
	}
	return all
}
