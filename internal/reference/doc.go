// Package reference keeps the pages of docs/reference as the code is. What stands between two marks
// of a page is made of the code: of flags and commands (here), and of names, fields and their
// comments (this package's tests). Tests compare, and `make reference` writes. Blocks are what
// pages tell to type. Only tests use it.
package reference
