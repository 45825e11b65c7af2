// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package docs has the pages for users. It has nothing but tests.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// TestLinks checks that all relative links in all pages of the tree lead to a file, and to a heading if they name one.
func TestLinks(t *testing.T) {
	tree := os.DirFS("..")
	for _, page := range pages(t, tree) {
		for _, err := range check(t, tree, page) {
			t.Error(err)
		}
	}
}

// pages returns the paths of all pages in Markdown.
func pages(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden && entry.Name() != ".github" || entry.Name() == "node_modules"):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("no pages")
	}
	return found
}

// check returns what is wrong with the links of a page.
func check(t *testing.T, tree fs.FS, page string) (errs []error) {
	t.Helper()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for number, line := range prose(read(t, tree, page)) {
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if err := resolve(t, tree, page, m[1]); err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: %s: %w", page, number+1, m[1], err))
			}
		}
	}
	return errs
}

// resolve returns an error unless a link of a page leads somewhere.
func resolve(t *testing.T, tree fs.FS, page, link string) error {
	t.Helper()
	name, anchor, hasAnchor := strings.Cut(link, "#")
	target := page
	if name != "" {
		target = path.Join(path.Dir(page), name)
	}
	if _, err := fs.Stat(tree, target); err != nil {
		return err
	}
	if hasAnchor && !slices.Contains(anchors(read(t, tree, target)), anchor) {
		return fmt.Errorf("%s has no such heading", target)
	}
	return nil
}

// prose returns the lines of a page, empty where they belong to a block of code, and without code in between.
func prose(text string) []string {
	code := regexp.MustCompile("`[^`]*`")
	lines := strings.Split(text, "\n")
	inside := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence {
			inside = !inside
		}
		if inside || fence {
			line = ""
		}
		lines[i] = code.ReplaceAllStringFunc(line, func(code string) string { return strings.Map(withoutLinks, code) })
	}
	return lines
}

// withoutLinks leaves out what makes a link.
func withoutLinks(r rune) rune {
	if strings.ContainsRune("[]()", r) {
		return -1
	}
	return r
}

// anchors returns what GitHub calls the headings of a page: lower case, hyphens for spaces, without punctuation. The second of a name
// ends in -1.
func anchors(text string) (all []string) {
	heading := regexp.MustCompile(`^#+ +(.*)$`)
	seen := make(map[string]int)
	for _, line := range prose(text) {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, strings.TrimSpace(m[1]))
		if n := seen[anchor]; n > 0 {
			all = append(all, fmt.Sprintf("%s-%d", anchor, n))
		} else {
			all = append(all, anchor)
		}
		seen[anchor]++
	}
	return all
}

func read(t *testing.T, tree fs.FS, name string) string {
	t.Helper()
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnchors(t *testing.T) {
	text := "# A title\n\n```sh\n# a comment\n```\n## Can I trust `it`?\n\n## nflog_exporter: \"new\"\n\n## A title\n"
	want := []string{"a-title", "can-i-trust-it", "nflog_exporter-new", "a-title-1"}
	if diff := cmp.Diff(want, anchors(text)); diff != "" {
		t.Errorf("unexpected anchors (-want +got):\n%s", diff)
	}
}

func TestBrokenLinks(t *testing.T) {
	tree := fstest.MapFS{
		"a.md":   {Data: []byte("[good](b/c.md#d) [self](#e) [code](b) `[not](a-link)` [web](https://example.com/x)\n# E\n[f](f.md)\n[g](b/c.md#g)\n")},
		"b/c.md": {Data: []byte("## D\n[up](../a.md#e)\n```\n[not](a-link)\n```\n")},
	}
	var got []string
	for _, page := range pages(t, tree) {
		for _, err := range check(t, tree, page) {
			got = append(got, err.Error())
		}
	}
	want := []string{
		"a.md:3: f.md: open f.md: file does not exist",
		"a.md:4: b/c.md#g: b/c.md has no such heading",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected errors (-want +got):\n%s", diff)
	}
}
