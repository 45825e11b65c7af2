// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadmeProgram compares the program of the README with the example that is run.
func TestReadmeProgram(t *testing.T) {
	program := submatch(t, "README.md", `(?s)func main\(\) \{\n(.*?)\n\}\n`)
	example := submatch(t, "example_linux_test.go", `(?s)func Example\(\) \{\n[^\n]*\n\n(.*?)\n\n\t// Output`)
	if diff := cmp.Diff(example, program); diff != "" {
		t.Errorf("unexpected program in README.md (-example +README):\n%s", diff)
	}
}

// submatch returns what the expression's group matches in a file.
func submatch(t *testing.T, file, expression string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(expression).FindSubmatch(text)
	if m == nil {
		t.Fatalf("nothing in %s matches %s", file, expression)
	}
	return string(m[1])
}
