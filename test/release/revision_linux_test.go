// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// git runs git in a folder and returns what it prints.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	identity := []string{"-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"}
	out, err := command(t, dir, "git", append(identity, args...)...).Output()
	if err != nil {
		t.Fatalf("git %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// revision returns the revision that make gives to a binary that it builds in a folder.
func revision(t *testing.T, dir string, args ...string) string {
	t.Helper()
	const setting = "github.com/prometheus/common/version.Revision="
	for _, b := range builds(t, dir, append(args, "build")...) {
		for _, flag := range b.LDFlags {
			if value, ok := strings.CutPrefix(flag, setting); ok {
				return value
			}
		}
	}
	t.Fatal("the revision is not set")
	return ""
}

func TestRevision(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"Makefile", "VERSION", "go.mod", ".gitignore"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, string(text))
	}
	if got, want := revision(t, dir), ""; got != want {
		t.Errorf("unexpected revision without git: got %q, want %q", got, want)
	}

	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "test")
	commit := git(t, dir, "rev-parse", "HEAD")

	tests := []struct {
		name   string
		change func()
		args   []string
		want   string
	}{
		{name: "committed", change: func() {}, want: commit},
		{name: "on a tag, detached", change: func() { git(t, dir, "tag", "v1"); git(t, dir, "checkout", "-q", "v1") }, want: commit},
		{name: "with what git ignores", change: func() { write(t, dir, "nflog_exporter", "") }, want: commit},
		{name: "with a new file", change: func() { write(t, dir, "new.go", "") }, want: commit + "-modified"},
		{name: "with a changed file", change: func() { write(t, dir, "VERSION", "9\n"); git(t, dir, "clean", "-fq") }, want: commit + "-modified"},
		{name: "given", change: func() {}, args: []string{"REVISION=abc"}, want: "abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.change()
			if got := revision(t, dir, tt.args...); got != tt.want {
				t.Errorf("unexpected revision: got %q, want %q", got, tt.want)
			}
		})
	}
}
