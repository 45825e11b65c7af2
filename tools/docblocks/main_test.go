// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = `# Title

~~~sh
not a block
~~~

` + "```sh" + `
# not a heading
first
` + "```" + `

## Install it

` + "```" + `
no language
` + "```" + `
- In a list:

  ` + "```sh" + `
  second
    indented

  end
  ` + "```" + `

### Details ###

` + "```yaml" + `
a: b
` + "```" + `
`

func TestBlocks(t *testing.T) {
	got, _, err := blocks(page)
	if err != nil {
		t.Fatal(err)
	}
	want := []block{
		{Line: 7, Heading: "Title", Language: "sh", Text: "# not a heading\nfirst\n"},
		{Line: 14, Heading: "Install it", Text: "no language\n"},
		{Line: 19, Heading: "Install it", Language: "sh", Text: "second\n  indented\n\nend\n"},
		{Line: 28, Heading: "Details ###", Language: "yaml", Text: "a: b\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected blocks (-want +got):\n%s", diff)
	}
}

// write writes a page to a file and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	tests := []struct {
		name    string
		options options
		page    string
		want    string
		wantErr string
	}{
		{name: "all", options: options{language: "sh"}, page: page, want: "# not a heading\nfirst\nsecond\n  indented\n\nend\n"},
		{name: "heading", options: options{language: "sh", heading: "Title"}, page: page, want: "# not a heading\nfirst\n"},
		{name: "no language", options: options{heading: "Install it"}, page: page, want: "no language\n"},
		{name: "no blocks", options: options{language: "sh"}, page: "text\n"},
		{
			name: "no such heading", options: options{language: "sh", heading: "Setup"}, page: page,
			wantErr: `no heading "Setup", only ["Title" "Install it" "Details ###"]`,
		},
		{
			name: "no block under the heading", options: options{language: "sh", heading: "Details ###"}, page: page,
			wantErr: "no block of the language sh under the heading Details ###",
		},
		{name: "without an end", options: options{language: "sh"}, page: "\n```sh\na\n", wantErr: "line 2: the block has no end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			err := run(tt.options, []string{write(t, tt.page)}, &got)
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("unexpected output (-want +got):\n%s", diff)
			}
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.HasSuffix(err.Error(), "page.md: "+tt.wantErr)) {
				t.Errorf("unexpected error: got %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func TestRunDir(t *testing.T) {
	t.Chdir(t.TempDir())
	for path, content := range map[string]string{"docs/a.md": page, "b.md": "```sh\nthird\n```\n"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := run(options{language: "sh", dir: dir}, []string{"docs/a.md", "b.md"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[entry.Name()] = string(content)
	}
	want := map[string]string{
		"docs_a.md:7":  "# not a heading\nfirst\n",
		"docs_a.md:19": "second\n  indented\n\nend\n",
		"b.md:1":       "third\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected files (-want +got):\n%s", diff)
	}
}
