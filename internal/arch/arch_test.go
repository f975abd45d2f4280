// Package arch keeps the shape of the code: imports go one way, files and functions stay small.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	maxFileLines     = 300 // a longer file says that it holds two things
	maxFunctionLines = 60  // one screen
)

// allowed lists what each layer may import of this module; its own subfolders are always allowed.
var allowed = map[string][]string{
	"plan":                  {},
	"internal/socket":       {},
	"internal/certificates": {},
	"internal/rocketmq":     {"internal/socket"},
	"internal/lab":          {"internal/rocketmq", "internal/files"},
	"internal/printable":    {},
	"internal/files":        {},
	"internal/brokerconfig": {},
	"internal/documents":    {},
	"internal/version":      {},
	"internal/secrets":      {"plan", "internal/rocketmq"},
	"internal/instance":     {"plan", "internal/lab", "internal/rocketmq", "internal/secrets"},
	"replicator":            {"internal/rocketmq", "internal/brokerconfig"},
	"internal/gateway":      {"internal/files", "replicator", "internal/certificates", "internal/rocketmq", "internal/socket", "internal/printable", "internal/brokerconfig"},
	"gateway":               {"internal/gateway", "internal/rocketmq", "internal/printable", "internal/version"},
	"activities":            {"plan", "internal/files", "replicator", "internal/gateway", "internal/rocketmq", "internal/instance", "internal/secrets", "internal/printable", "internal/documents", "internal/brokerconfig"},
	"workflows":             {"plan", "activities", "internal/instance", "internal/printable"},
	"worker":                {"plan", "replicator", "activities", "workflows", "internal/lab", "internal/secrets", "internal/printable", "internal/documents", "internal/version"},
	"starter":               {"plan", "replicator", "activities", "workflows", "internal/instance", "internal/lab", "internal/rocketmq", "internal/printable", "internal/documents", "internal/version"},
	"demo":                  {"plan", "activities", "workflows", "internal/lab", "internal/instance", "internal/rocketmq", "internal/printable", "internal/version"},
	"bench":                 {"internal/lab", "internal/rocketmq", "internal/gateway", "replicator"},
	"internal/arch":         {},
	"deploy":                {},
}

type source struct {
	path, layer string
	file        *ast.File
	files       *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var out []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "bin" || name == "tools") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		rel, _ := filepath.Rel(root, path)
		out = append(out, source{path: filepath.ToSlash(rel), layer: layerOf(filepath.ToSlash(filepath.Dir(rel))), file: file, files: files})
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(out), 50, "the walk found too little to mean anything")
	return out
}

// layerOf is the longest name in allowed that the folder lies in.
func layerOf(dir string) string {
	best := ""
	for layer := range allowed {
		if (dir == layer || strings.HasPrefix(dir, layer+"/")) && len(layer) > len(best) {
			best = layer
		}
	}
	return best
}

func TestImportsGoOneWay(t *testing.T) {
	for _, s := range sources(t) {
		if s.layer == "" {
			t.Errorf("%s: its folder is in no layer: add it to allowed", s.path)
			continue
		}
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			inside, ours := strings.CutPrefix(path, "rocketshift/")
			if !ours {
				continue
			}
			to := layerOf(inside)
			ok := to == s.layer
			for _, a := range allowed[s.layer] {
				ok = ok || to == a
			}
			if !ok {
				t.Errorf("%s: %s must not import %s", s.path, s.layer, path)
			}
		}
	}
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	for _, s := range sources(t) {
		if lines := s.files.File(s.file.Pos()).LineCount(); lines > maxFileLines {
			t.Errorf("%s has %d lines, at most %d: it may hold two things", s.path, lines, maxFileLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := s.files.Position(f.End()).Line - s.files.Position(f.Pos()).Line + 1; lines > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, at most %d", s.path, f.Name.Name, lines, maxFunctionLines)
			}
		}
	}
}

func TestThePlanAndTheReplicatorKnowNothingOfTemporal(t *testing.T) {
	for _, s := range sources(t) {
		if s.layer != "plan" && s.layer != "replicator" && s.layer != "internal/rocketmq" && s.layer != "internal/gateway" {
			continue
		}
		for _, spec := range s.file.Imports {
			if strings.Contains(spec.Path.Value, "go.temporal.io") {
				t.Errorf("%s imports %s", s.path, spec.Path.Value)
			}
		}
	}
}
