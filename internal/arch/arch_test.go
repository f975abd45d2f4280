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
	"plan":                    {},
	"internal/socket":         {},
	"internal/certificates":   {},
	"internal/printable":      {},
	"internal/files":          {},
	"internal/brokerconfig":   {"internal/rocketmq"},
	"internal/version":        {},
	"internal/failure":        {"plan"},
	"internal/sleep":          {},
	"internal/rocketmq":       {"internal/socket"},
	"internal/lab":            {"api", "internal/rocketmq", "internal/files"},
	"internal/documents":      {"api"},
	"internal/secrets":        {"plan", "internal/rocketmq"},
	"internal/clusters/fault": {"api", "internal/secrets"},
	"internal/findings":       {"api"},
	"internal/clusters": {
		"plan", "api", "replicator", "internal/clusters/fault", "internal/findings", "internal/rocketmq",
		"internal/brokerconfig",
	},
	"internal/clusters/connect": {
		"api",
		"internal/clusters",
		"internal/clusters/fault",
		"internal/files",
		"internal/gateway/control",
		"internal/instance",
		"internal/rocketmq",
		"internal/secrets",
		"plan",
		"replicator",
	},
	"internal/metadata":            {"internal/metadata/rights"},
	"internal/metadata/brokerjson": {"internal/metadata", "internal/files", "internal/rocketmq"},
	"internal/metadata/store":      {"internal/metadata", "internal/metadata/brokerjson", "internal/rocketmq"},
	"internal/metadata/mqadmin":    {"internal/metadata", "internal/metadata/brokerjson", "internal/rocketmq"},
	"internal/metadata/script":     {"internal/metadata"},
	"internal/metadata/sheet":      {"internal/metadata", "internal/files"},
	"internal/metadata/live": {
		"internal/clusters",
		"internal/metadata",
		"internal/metadata/brokerjson",
		"internal/metadata/rights/acl2",
		"internal/metadata/rights/transfer",
		"internal/printable",
		"internal/rocketmq",
	},
	"internal/metadata/sources": {
		"internal/metadata/rights/acl1",
		"internal/metadata",
		"internal/metadata/brokerjson",
		"internal/metadata/mqadmin",
		"internal/metadata/sheet",
		"internal/metadata/store",
		"internal/files",
		"internal/printable",
		"internal/rocketmq",
	},
	"internal/metadata/apply": {
		"plan", "api", "internal/clusters", "internal/failure", "internal/files", "internal/metadata",
		"internal/rocketmq",
	},
	"internal/aliyun":     {"plan"},
	"internal/lab/apsara": {"internal/lab"},
	"internal/instance":   {"plan", "api", "internal/aliyun", "internal/lab", "internal/rocketmq", "internal/secrets"},
	"internal/assess": {
		"internal/rocketmq",
		"plan",
		"api",
		"internal/clusters",
		"internal/failure",
		"internal/findings",
		"internal/printable",
	},
	"internal/copyjob": {
		"plan",
		"replicator",
		"internal/failure",
		"internal/printable",
		"internal/rocketmq",
		"internal/clusters",
	},
	"api":                  {"plan", "replicator/lane", "internal/printable"},
	"replicator/lane":      {},
	"replicator/replica":   {"internal/sleep", "replicator/lane", "internal/rocketmq", "internal/brokerconfig"},
	"replicator/throttle":  {"replicator/lane", "replicator/replica"},
	"replicator/positions": {"internal/sleep", "replicator/lane", "replicator/replica", "internal/rocketmq"},
	"replicator/verify": {
		"internal/sleep",
		"replicator/lane",
		"replicator/replica",
		"replicator/positions",
		"internal/rocketmq",
	},
	"replicator": {
		"internal/sleep",
		"replicator/lane",
		"replicator/replica",
		"replicator/positions",
		"replicator/throttle",
		"replicator/verify",
		"internal/rocketmq",
	},
	"internal/gateway/memory": {},
	"internal/gateway/control": {
		"internal/sleep",
		"internal/certificates",
		"internal/gateway/memory",
		"replicator/lane",
	},
	"internal/gateway/wire":   {"internal/rocketmq"},
	"internal/gateway/keeper": {},
	"internal/gateway/logs":   {},
	"internal/gateway/connections": {
		"internal/gateway/logs",
		"internal/gateway/keeper",
		"internal/gateway/wire",
		"internal/gateway/memory",
		"internal/certificates",
		"internal/rocketmq",
		"internal/socket",
	},
	"internal/gateway/routing": {
		"internal/gateway/bodies",
		"internal/gateway/control",
		"internal/gateway/logs",
		"internal/gateway/memory",
		"internal/gateway/wire",
		"internal/rocketmq",
		"replicator/lane",
	},
	"internal/gateway/store": {
		"internal/gateway/routing",
		"internal/gateway/control",
		"internal/files",
		"replicator/lane",
	},
	"internal/gateway/audit": {"internal/files"},
	"internal/gateway/controlserver": {
		"internal/gateway/audit",
		"internal/gateway/control",
		"internal/gateway/store",
		"internal/gateway/logs",
		"internal/certificates",
		"internal/printable",
	},
	"internal/gateway/bodies": {"internal/gateway/wire", "internal/rocketmq"},
	"internal/gateway/keys":   {"internal/gateway/wire", "internal/gateway/routing"},
	"internal/gateway/replicas": {
		"internal/brokerconfig",
		"internal/gateway/control",
		"internal/gateway/routing",
		"internal/gateway/store",
		"internal/rocketmq",
		"internal/sleep",
		"replicator",
	},
	"internal/gateway/rounds": {
		"internal/gateway/control",
		"internal/gateway/routing",
		"internal/gateway/store",
		"internal/sleep",
	},
	"internal/gateway/checks": {
		"internal/gateway/bodies",
		"internal/gateway/control",
		"internal/gateway/logs",
		"internal/gateway/replicas",
		"internal/gateway/rounds",
		"internal/gateway/routing",
		"internal/gateway/store",
		"internal/rocketmq",
		"internal/sleep",
		"replicator",
	},
	"internal/gateway": {
		"internal/gateway/checks",
		"internal/gateway/replicas",
		"internal/gateway/rounds",
		"internal/gateway/controlserver",
		"internal/gateway/audit",
		"internal/gateway/bodies",
		"internal/gateway/keys",
		"internal/gateway/routing",
		"internal/gateway/store",
		"internal/gateway/connections",
		"internal/gateway/logs",
		"internal/gateway/keeper",
		"internal/gateway/wire",
		"internal/gateway/memory",
		"internal/gateway/control",
		"internal/sleep",
		"internal/files",
		"replicator",
		"internal/certificates",
		"internal/rocketmq",
		"internal/socket",
		"internal/printable",
		"internal/brokerconfig",
	},
	"gateway": {
		"internal/gateway",
		"internal/gateway/memory",
		"internal/gateway/connections",
		"internal/gateway/keeper",
		"internal/rocketmq",
		"internal/printable",
		"internal/version",
	},
	"internal/documents/lists":    {"api", "internal/documents", "internal/clusters/fault"},
	"internal/report":             {"api", "internal/printable"},
	"internal/lockowner":          {},
	"internal/shards":             {"api", "replicator/lane"},
	"internal/clusters/stability": {},
	"internal/clusters/measure": {
		"api",
		"internal/clusters",
		"internal/clusters/fault",
		"internal/clusters/fleet",
		"internal/clusters/stability",
		"internal/gateway/control",
		"internal/printable",
		"internal/rocketmq",
		"internal/sleep",
		"plan",
		"replicator",
	},
	"internal/clusters/verification": {"api", "internal/clusters", "replicator"},
	"internal/clusters/metadata": {
		"api",
		"internal/brokerconfig",
		"internal/clusters",
		"internal/clusters/fault",
		"internal/findings",
		"internal/printable",
		"internal/rocketmq",
		"plan",
		"replicator",
	},
	"internal/metadata/rights":         {},
	"internal/metadata/rights/keyring": {"internal/files"},
	"internal/metadata/rights/acl1":    {"internal/metadata/rights", "internal/metadata/rights/keyring"},
	"internal/metadata/rights/acl2": {
		"internal/metadata/rights",
		"internal/metadata/rights/keyring",
		"internal/rocketmq",
	},
	"internal/metadata/rights/transfer": {
		"internal/metadata/rights",
		"internal/metadata/rights/keyring",
		"internal/metadata/rights/acl1",
		"internal/metadata/rights/acl2",
		"internal/rocketmq",
		"plan",
	},
	"internal/clusters/fleet": {
		"api",
		"internal/clusters",
		"internal/gateway/control",
		"internal/rocketmq",
		"plan",
		"replicator",
	},
	"internal/clusters/consumers": {
		"api",
		"internal/brokerconfig",
		"internal/clusters",
		"internal/clusters/fault",
		"internal/clusters/fleet",
		"internal/clusters/metadata",
		"internal/clusters/stability",
		"internal/printable",
		"internal/rocketmq",
		"plan",
		"replicator",
	},
	"internal/clusters/ledger": {
		"api",
		"internal/clusters",
		"internal/clusters/fault",
		"internal/clusters/measure",
		"internal/clusters/metadata",
		"internal/printable",
		"internal/rocketmq",
		"replicator",
	},
	"internal/clusters/inventory": {
		"api",
		"internal/brokerconfig",
		"internal/clusters",
		"internal/clusters/connect",
		"internal/clusters/fleet",
		"internal/clusters/metadata",
		"internal/gateway/control",
		"internal/files",
		"internal/findings",
		"internal/metadata/rights/acl1",
		"internal/printable",
		"internal/rocketmq",
		"plan",
		"replicator",
	},
	"activities": {
		"internal/metadata/rights",
		"internal/sleep",
		"plan",
		"internal/files",
		"api",
		"replicator",
		"internal/gateway/control",
		"internal/rocketmq",
		"internal/instance",
		"internal/secrets",
		"internal/printable",
		"internal/documents",
		"internal/brokerconfig",
		"internal/clusters",
		"internal/report",
		"internal/lockowner",
		"internal/shards",
	},
	"workflows/change":   {},
	"workflows/lists":    {"api"},
	"workflows/report":   {"api"},
	"workflows/message":  {"api", "workflows/change", "workflows/lists"},
	"workflows/call":     {"plan", "api", "activities", "workflows/change"},
	"workflows/stage":    workflowsNeed("message", "report"),
	"workflows/moving":   workflowsNeed("stage"),
	"workflows/prepare":  workflowsNeed("stage"),
	"workflows/lanes":    workflowsNeed("stage", "message"),
	"workflows/settle":   workflowsNeed("stage"),
	"workflows/shift":    workflowsNeed("stage", "moving"),
	"workflows/rollback": workflowsNeed("stage", "moving", "settle"),
	"workflows/standins": {"plan", "api", "activities", "internal/instance"},
	"workflows": workflowsNeed("stage", "message", "report", "moving",
		"prepare", "lanes", "settle", "shift", "rollback"),
	"worker": {
		"plan",
		"api",
		"replicator",
		"activities",
		"workflows",
		"internal/lab",
		"internal/secrets",
		"internal/printable",
		"internal/documents",
		"internal/version",
		"internal/clusters",
		"internal/shards",
	},
	"starter/remote": {"plan", "api", "activities", "internal/failure"},
	"starter/page":   {"plan", "api", "internal/printable", "replicator", "starter/remote"},
	"starter/users": {
		"internal/clusters/connect",
		"internal/failure",
		"internal/metadata/rights",
		"internal/rocketmq",
		"plan",
	},
	"starter/doors": {
		"internal/clusters/connect",
		"internal/failure",
		"internal/files",
		"internal/metadata",
		"internal/rocketmq",
	},
	"starter/metadataapply": {"api", "internal/clusters/connect", "internal/failure", "internal/metadata/apply"},
	"starter": {
		"starter/doors",
		"starter/metadataapply",
		"starter/users",
		"starter/remote",
		"starter/page",
		"plan",
		"api",
		"replicator",
		"activities",
		"workflows",
		"internal/assess",
		"internal/clusters/connect",
		"internal/copyjob",
		"internal/failure",
		"internal/instance",
		"internal/lab",
		"internal/rocketmq",
		"internal/printable",
		"internal/documents",
		"internal/version",
	},
	"demo": {
		"plan",
		"api",
		"activities",
		"workflows",
		"internal/lab",
		"internal/instance",
		"internal/rocketmq",
		"internal/printable",
		"internal/version",
	},
	"bench": {
		"internal/lab",
		"internal/rocketmq",
		"internal/gateway",
		"internal/gateway/control",
		"internal/gateway/keeper",
		"internal/gateway/memory",
		"replicator",
	},
	"internal/arch":      {},
	"internal/reference": {},
	"deploy":             {},
}

// workflowsNeed are what workflows import besides the packages of workflows that are named.
func workflowsNeed(packages ...string) []string {
	all := []string{"plan", "api", "activities"}
	for _, name := range append(packages, "change", "lists", "call") {
		all = append(all, "workflows/"+name)
	}
	return all
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
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		rel, _ := filepath.Rel(root, path)
		out = append(out, source{
			path:  filepath.ToSlash(rel),
			layer: layerOf(filepath.ToSlash(filepath.Dir(rel))),
			file:  file,
			files: files,
		})
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
				below := strings.HasPrefix(to, a+"/") && !strings.HasPrefix(s.layer, a+"/") // siblings are named
				ok = ok || to == a || below
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

// mostFiles is how many files a package has at most: who needs more has two packages.
const mostFiles = 20

// larger are the packages that have more, and how many: they are still to be taken apart, and don't
// grow meanwhile.
var larger = map[string]int{
	"internal/gateway": 88,
}

func TestPackagesStaySmall(t *testing.T) {
	files := map[string]int{}
	for _, s := range sources(t) {
		files[filepath.ToSlash(filepath.Dir(s.path))]++
	}
	for dir, n := range files {
		if most := max(mostFiles, larger[dir]); n > most {
			t.Errorf("%s has %d files, at most %d", dir, n, most)
		}
	}
	for dir, n := range larger {
		if files[dir] < n {
			t.Errorf("%s has %d files by now: say so in larger", dir, files[dir])
		}
	}
}

func TestExportedNamesAreExplained(t *testing.T) {
	for _, s := range sources(t) {
		if s.file.Name.Name == "main" {
			continue
		}
		for _, name := range unexplained(s.file) {
			t.Errorf("%s: %s has no doc comment", s.path, name)
		}
	}
}

// unexplained are the exported names of a file without a doc comment. Methods that everybody knows
// need none.
func unexplained(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && !wellKnown[d.Name.Name] && exportedReceiver(d) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			if d.Doc == nil {
				names = append(names, unexplainedSpecs(d.Specs)...)
			}
		}
	}
	return names
}

var wellKnown = map[string]bool{
	"String":        true,
	"Error":         true,
	"Unwrap":        true,
	"MarshalJSON":   true,
	"UnmarshalJSON": true,
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	name, plain := of.(*ast.Ident)
	return !plain || name.IsExported()
}

func unexplainedSpecs(specs []ast.Spec) (names []string) {
	for _, spec := range specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Doc == nil && spec.Comment == nil && spec.Name.IsExported() {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if spec.Doc == nil && spec.Comment == nil && name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

func TestThePlanAndTheReplicatorKnowNothingOfTemporal(t *testing.T) {
	for _, s := range sources(t) {
		if without := s.layer == "plan" || s.layer == "api" || s.layer == "internal/copyjob" || s.layer == "internal/gateway" ||
			strings.HasPrefix(s.layer, "replicator") || s.layer == "internal/rocketmq" || strings.HasPrefix(s.layer, "internal/clusters"); !without {
			continue
		}
		for _, spec := range s.file.Imports {
			if strings.Contains(spec.Path.Value, "go.temporal.io") {
				t.Errorf("%s imports %s", s.path, spec.Path.Value)
			}
		}
	}
}
