package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const top = "../.."

// pages are what people read: the pages at the top of the project, and all of docs.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		paths = append(paths, filepath.Join(top, page))
	}
	before := len(paths)
	err := filepath.WalkDir(filepath.Join(top, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(paths)-before, 15, "the pages of docs")
	return paths
}

var (
	fenced   = regexp.MustCompile("(?ms)^```.*?^```$")
	codeSpan = regexp.MustCompile("`[^`\n]*`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	named    = regexp.MustCompile(`<a id="([^"]+)">`)
	linked   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	unlike   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	mention  = regexp.MustCompile(`\bdocs/[\w./-]+\.(?:md|yaml)(?:#[\w-]+)?`)
)

// anchors are the places of a page that a link may name, as GitHub makes them of headings.
func anchors(text string) map[string]bool {
	out, seen := map[string]bool{}, map[string]int{}
	text = fenced.ReplaceAllString(text, "")
	for _, found := range named.FindAllStringSubmatch(text, -1) {
		out[found[1]] = true
	}
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		words := linked.ReplaceAllString(strings.TrimSpace(found[1]), "$1")
		slug := strings.ReplaceAll(unlike.ReplaceAllString(strings.ToLower(words), ""), " ", "-")
		if n := seen[slug]; n > 0 {
			out[slug+"-"+strconv.Itoa(n)] = true
		}
		seen[slug]++
		out[slug] = true
	}
	return out
}

// broken says what is wrong with a link to a file, and an anchor in it, from a folder; "" if it
// leads there.
func broken(t *testing.T, folder, page, to string) string {
	t.Helper()
	path, anchor, asked := strings.Cut(to, "#")
	if path != "" {
		page = filepath.Join(folder, path)
	}
	if info, err := os.Stat(page); err != nil {
		return "there is no such file"
	} else if info.IsDir() || !asked {
		return ""
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	if !anchors(string(text))[anchor] {
		return "the page has no such heading"
	}
	return ""
}

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	links := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		prose := codeSpan.ReplaceAllString(fenced.ReplaceAllString(string(text), ""), "code")
		for _, found := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			links++
			if what := broken(t, filepath.Dir(page), page, found[1]); what != "" {
				t.Errorf("%s links to %s: %s", page, found[1], what)
			}
		}
	}
	require.Greater(t, links, 100)
}

// Code, its messages and what builds it name pages, too.
func TestPagesThatCodeNamesAreThere(t *testing.T) {
	mentions := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != top && (strings.HasPrefix(name, ".") || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".yml", ".yaml", ".sh":
		default:
			if name != "Makefile" && name != "Dockerfile" {
				return nil
			}
		}
		text, err := os.ReadFile(path)
		for _, to := range mention.FindAllString(string(text), -1) {
			mentions++
			if what := broken(t, top, "", to); what != "" {
				t.Errorf("%s names %s: %s", path, to, what)
			}
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, mentions, 20)
}

func TestAnchorsAreThoseOfGitHub(t *testing.T) {
	got := anchors("# When the target doesn't answer\n## A `back`, again\n## A `back`, again\n" +
		"```\n# not this\n```\n<a id=\"vip\"></a>\n### [Fuzzing](x.md) (`make fuzz`)\n")
	require.Equal(t, map[string]bool{
		"when-the-target-doesnt-answer": true, "a-back-again": true, "a-back-again-1": true, "vip": true,
		"fuzzing-make-fuzz": true,
	}, got)
}

// mostColumns is how long a line of prose is at most.
const mostColumns = 100

var (
	made     = regexp.MustCompile(`(?s)<!-- made by make reference.*?<!-- end of`)
	unbroken = regexp.MustCompile("`[^`\n]*`|\\]\\([^)]*\\)|<http[^>]*>")
)

func TestLinesOfPagesAreShort(t *testing.T) {
	for _, page := range pages(t) {
		if filepath.Base(page) == "CHANGELOG.md" {
			continue
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		prose := made.ReplaceAllString(fenced.ReplaceAllString(string(text), ""), "")
		for _, line := range strings.Split(prose, "\n") {
			if strings.HasPrefix(line, "|") || strings.HasPrefix(line, "#") {
				continue
			}
			if n := utf8.RuneCountInString(line); n > mostColumns && unbroken.ReplaceAllString(line, "") == line {
				t.Errorf("%s: a line has %d columns, at most %d: %s", page, n, mostColumns, line)
			}
		}
	}
}
