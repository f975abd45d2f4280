package plan

// ValidName reports whether a plan may have that name. Workflow ids and folders are made of it.
func ValidName(name string) bool { return nameForm.MatchString(name) }
