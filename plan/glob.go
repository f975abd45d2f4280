package plan

// Match reports whether the name is selected.
func (s Selection) Match(name string) bool {
	s = s.withDefaults()
	return matchAny(s.Include, name) && !matchAny(s.Exclude, name)
}

func matchAny(globs []string, name string) bool {
	for _, g := range globs {
		if match(g, name) {
			return true
		}
	}
	return false
}

// match knows * (any run of characters, also none) and ? (one byte). It goes back only to the last
// star, so its time is at most the product of both lengths.
func match(glob, name string) bool {
	g, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, mark = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g++
			n++
		case star >= 0:
			mark++
			g, n = star+1, mark
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}
