package reference

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writing is the environment variable with which tests write pages instead of comparing them.
const writing = "WRITE_REFERENCE"

// Check compares the part of a page of docs/reference with what it must be, or writes it where
// WRITE_REFERENCE is set. The page has the marks of the part already.
func Check(t testing.TB, page, part, want string) {
	t.Helper()
	path := filepath.Join(Root(t), "docs", "reference", page)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now, err := replaced(string(text), part, want)
	if err != nil {
		t.Fatalf("%s: %s", path, err)
	}
	if now == string(text) {
		return
	}
	if os.Getenv(writing) == "" {
		t.Fatalf("%s: the part %q isn't as the code is: `make reference` writes it. It must be:\n%s", path, part, want)
	}
	if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replaced is the text of a page with another part.
func replaced(text, part, want string) (string, error) {
	begin := fmt.Sprintf("<!-- made by make reference: %s -->\n", part)
	end := fmt.Sprintf("<!-- end of %s -->\n", part)
	before, rest, found := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("it lacks %q or %q", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + "\n" + strings.TrimSpace(want) + "\n\n" + end + after, nil
}

// Root is the folder of the project.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("no folder above this one has a go.mod")
		}
		folder = filepath.Dir(folder)
	}
}
