package plan

// ValidName reports whether a plan may have that name, which becomes part of workflow ids and
// folders.
func ValidName(name string) bool { return nameForm.MatchString(name) }
