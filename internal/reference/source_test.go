package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parsed are the files of a package of this module, without its tests.
func parsed(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Root(t), folder, "*.go"))
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	require.NotEmpty(t, files, folder)
	return files
}

// said is a comment in one line.
func said(groups ...*ast.CommentGroup) string {
	var all []string
	for _, group := range groups {
		if group != nil {
			all = append(all, strings.Join(strings.Fields(group.Text()), " "))
		}
	}
	return strings.Join(all, " ")
}

// comments are those of a package's fields, by "package.Type.Field".
func comments(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, file := range parsed(t, folder) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.TypeSpec)
			if !is {
				return true
			}
			of, is := spec.Type.(*ast.StructType)
			if !is {
				return true
			}
			for _, field := range of.Fields.List {
				for _, name := range field.Names {
					out[file.Name.Name+"."+spec.Name.Name+"."+name.Name] = said(field.Doc, field.Comment)
				}
			}
			return true
		})
	}
	return out
}

// field is one of what a document may hold.
type field struct {
	path, kind, comment string
	value               reflect.Value // of the document that it is read from
}

// fields are those of a struct and of the structs in it, with their paths in JSON.
func fields(of reflect.Value, prefix string, notes map[string]string) (out []field) {
	for _, f := range reflect.VisibleFields(of.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		value, owner := of.FieldByIndex(f.Index), of.Type()
		if len(f.Index) > 1 {
			owner = owner.FieldByIndex(f.Index[:len(f.Index)-1]).Type
		}
		comment := notes[owner.String()+"."+f.Name]
		if value.Kind() == reflect.Pointer && value.IsNil() {
			value = reflect.New(value.Type().Elem()).Elem()
		}
		if value.Kind() == reflect.Struct && value.Type().String() != "time.Time" {
			out = append(out, fields(value, prefix+name+".", notes)...)
			continue
		}
		out = append(out, field{prefix + name, kindOf(value.Type()), comment, value})
	}
	return out
}

// kindOf is how a document writes a type.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "list of " + kindOf(t.Elem())
	case reflect.Map:
		return kindOf(t.Elem()) + " by name"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "number"
	case reflect.Struct:
		return "time"
	}
	if t.Name() == "Duration" {
		return "span, such as 10s"
	}
	return "whole number"
}

// text is a constant expression of texts and their sums.
func text(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		return text(e.X, constants) + text(e.Y, constants)
	case *ast.Ident:
		return constants[e.Name]
	case *ast.SelectorExpr:
		return constants[e.Sel.Name]
	}
	return ""
}

// constant is one of a package, with the comment of its group and its own.
type constant struct{ name, value, group, comment string }

// textConstants are the constants of a package that are texts, in the order of its files.
func textConstants(t *testing.T, folder string) (out []constant) {
	t.Helper()
	for _, file := range parsed(t, folder) {
		for _, d := range file.Decls {
			group, is := d.(*ast.GenDecl)
			if !is || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				one := spec.(*ast.ValueSpec)
				for i, value := range one.Values {
					if s := text(value, nil); s != "" {
						out = append(out, constant{one.Names[i].Name, s, said(group.Doc), said(one.Doc, one.Comment)})
					}
				}
			}
		}
	}
	return out
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
