// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const docsPage = "../../docs/page.md"

// TestDocumentedNames checks that the documentation has all names of the JSON.
func TestDocumentedNames(t *testing.T) {
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, m := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllSubmatch(page, -1) {
		documented[string(m[1])] = true
	}
	names := make(map[string]bool)
	jsonNames(reflect.TypeFor[Status](), names, make(map[reflect.Type]bool))
	if len(names) < 80 {
		t.Errorf("found %d names alone", len(names))
	}
	for name := range names {
		if !documented[name] {
			t.Errorf("%s does not have %s", docsPage, name)
		}
	}
}

// jsonNames adds the names of the fields of a type, and of the types in it.
func jsonNames(typ reflect.Type, names map[string]bool, seen map[reflect.Type]bool) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[time.Time]() {
		return
	}
	seen[typ] = true
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name != "" {
			jsonNames(f.Type, names, seen)
		}
		if name != "" {
			names[name] = true
		}
	}
}

// TestDocumentedCodes compares the documented codes of problems, in their order, with the real ones.
func TestDocumentedCodes(t *testing.T) {
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| `(?:bad|warning|hint)` \\|").FindAllSubmatch(page, -1) {
		got = append(got, string(m[1]))
	}
	if diff := cmp.Diff(codes, got); diff != "" {
		t.Errorf("unexpected codes (-want +got):\n%s", diff)
	}
}
