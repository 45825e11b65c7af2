// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGoVersion(t *testing.T) {
	need := goMod(t, "go")
	tests := []struct {
		name    string
		version string
		args    []string
		want    string // in the error; "" for none
	}{
		{name: "needed", version: "go" + need},
		{name: "newer", version: "go9.100.1"},
		{name: "development", version: "devel go9.100-0123456789"},
		{name: "older", version: "go1.9.9", want: "Go " + need + " or later is needed .* is 1.9.9: "},
		{name: "missing", args: []string{"GO=no-such-go"}, want: "but 'no-such-go' is not installed: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := makeCommand(t, root, tt.version, slices.Concat([]string{"go-version", goIsTest(t)}, tt.args)...)
			cmd.Stderr = &stderr
			err := cmd.Run()
			if (err == nil) != (tt.want == "") || !regexp.MustCompile(tt.want).MatchString(stderr.String()) {
				t.Errorf("got error %v, want %q in:\n%s", err, tt.want, stderr.String())
			}
		})
	}
}

// TestHelp checks that make help lists the targets.
func TestHelp(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	phony := regexp.MustCompile(`(?m)^\.PHONY:((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
	if phony == nil {
		t.Fatal("Makefile has no .PHONY")
	}
	want := slices.DeleteFunc(strings.Fields(strings.ReplaceAll(string(phony[1]), "\\\n", " ")), func(target string) bool {
		return slices.Contains([]string{"all", "go-version", "old-go-nflog", "FORCE"}, target)
	})
	var got []string
	for line := range strings.Lines(makeIn(t, root, "help")) {
		target, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if text == "" {
			t.Errorf("make help says nothing of %s", target)
		}
		got = append(got, target)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected targets in make help (-.PHONY +help):\n%s", diff)
	}
}
