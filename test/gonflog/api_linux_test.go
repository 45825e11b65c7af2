// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestAPI checks that package nflog exports everything that go-nflog exports (v2.1.0
// and v2.3.0 export the same), with equal declarations: constants with the same
// value, structures with the same fields in the same order, functions and methods
// with the same signature.
func TestAPI(t *testing.T) {
	imports := newImporter(t)
	theirs, err := imports.Import("github.com/florianl/go-nflog/v2")
	must(t, err)
	ours, err := imports.Import("github.com/nflog-exporter/nflog_exporter/nflog")
	must(t, err)

	compared := 0
	for _, name := range theirs.Scope().Names() {
		if !token.IsExported(name) {
			continue
		}
		compared++
		t.Run(name, func(t *testing.T) {
			object := ours.Scope().Lookup(name)
			if object == nil {
				t.Fatal("not exported")
			}
			if diff := cmp.Diff(declaration(theirs.Scope().Lookup(name)), declaration(object)); diff != "" {
				t.Errorf("declared differently (-go-nflog +nflog):\n%s", diff)
			}
		})
	}
	if compared == 0 {
		t.Error("go-nflog exports nothing")
	}
}

// newImporter returns an importer for the packages that this module depends on.
func newImporter(t testing.TB) types.Importer {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-test", "-f", "{{.ImportPath}}={{.Export}}"}
	if isOld() {
		args = append(args, oldModFile)
	}
	cmd := exec.Command(kerneltest.Require(t, "go"), append(args, ".")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		kerneltest.Skip(t, fmt.Sprintf("can't list packages: %v: %s", err, stderr.Bytes()))
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
}

// declaration returns the exported part of an object's declaration: for a structure,
// a line for each exported field and one for each exported method.
func declaration(object types.Object) []string {
	own := func(p *types.Package) string {
		if p == object.Pkg() {
			return ""
		}
		return p.Path()
	}
	lines := []string{spelled(types.ObjectString(object, own))}
	switch object := object.(type) {
	case *types.Const:
		lines = append(lines, "= "+object.Val().ExactString())
	case *types.TypeName:
		if s, ok := object.Type().Underlying().(*types.Struct); ok {
			lines = []string{"type " + object.Name() + " struct"}
			for field := range s.Fields() {
				if field.Exported() {
					lines = append(lines, spelled(types.ObjectString(field, own)))
				}
			}
		}
		methods := types.NewMethodSet(types.NewPointer(object.Type()))
		for method := range methods.Methods() {
			if method.Obj().Exported() {
				lines = append(lines, spelled(types.SelectionString(method, own)))
			}
		}
	}
	return lines
}

// spelled returns a declaration with uint8 and any in the place of their aliases.
func spelled(declaration string) string {
	return strings.NewReplacer("byte", "uint8", "interface{}", "any").Replace(declaration)
}
