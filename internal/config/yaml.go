// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A Diagnostic is something to say about a place in a file.
type Diagnostic struct {
	Path         string
	Line, Column int
	Text         string
}

// String returns the remark as compilers write them.
func (r Diagnostic) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", r.Path, r.Line, r.Column, r.Text)
}

// Diagnostics are what makes a file unusable.
type Diagnostics []Diagnostic

// maxMistakes is how many of them are told one by one.
const maxMistakes = 100

// Error returns a line for each mistake.
func (m Diagnostics) Error() string {
	lines := make([]string, len(m))
	for i, r := range m {
		lines[i] = r.String()
	}
	return strings.Join(lines, "\n")
}

// fileReader reads values from a YAML file, and gathers what there is to say about them. It takes
// scalars by their text, so that no, 0x10 and 1e3 are what they look like.
type fileReader struct {
	path     string
	mistakes Diagnostics
	warnings []Diagnostic
}

// field is a key with its value.
type field struct{ key, value *yaml.Node }

func (f field) name() string { return f.key.Value }

func lookup(fields []field, name string) (field, bool) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name() == name })
	if i < 0 {
		return field{}, false
	}
	return fields[i], true
}

func (r *fileReader) remark(n *yaml.Node, format string, args ...any) Diagnostic {
	// Some nodes and errors of the YAML library have no place.
	return Diagnostic{r.path, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)}
}

func (r *fileReader) mistake(n *yaml.Node, format string, args ...any) {
	r.mistakes = append(r.mistakes, r.remark(n, format, args...))
}

func (r *fileReader) warn(n *yaml.Node, format string, args ...any) {
	r.warnings = append(r.warnings, r.remark(n, format, args...))
}

// result returns the warnings and, if there are any, the mistakes, in the order of the file.
func (r *fileReader) result() (warnings []Diagnostic, err error) {
	for _, remarks := range [][]Diagnostic{r.warnings, r.mistakes} {
		slices.SortStableFunc(remarks, func(a, b Diagnostic) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	switch more := len(r.mistakes) - maxMistakes; {
	case len(r.mistakes) == 0:
		return r.warnings, nil
	case more > 0:
		r.mistakes[maxMistakes].Text = fmt.Sprintf("and %d more mistakes from here on", more)
		return r.warnings, r.mistakes[:maxMistakes+1]
	}
	return r.warnings, r.mistakes
}

// document returns what the file holds, nil if that is nothing.
func (r *fileReader) document(data []byte) *yaml.Node {
	if !r.characters(data) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	var doc, next yaml.Node
	if err == nil {
		err = loader.Load(&doc)
	}
	if err == nil {
		err = loader.Load(&next)
	}
	switch {
	case err == nil:
		r.mistake(&next, "must be a single YAML document")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	case len(doc.Content) == 0 || isNull(doc.Content[0]):
		return nil
	}
	return doc.Content[0]
}

// characters tells if all characters are such that YAML allows them. The library would say which is
// not, but not where.
func (r *fileReader) characters(data []byte) bool {
	line, column := 1, 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		place := &yaml.Node{Line: line, Column: column}
		switch {
		case c == utf8.RuneError && size == 1:
			r.mistake(place, "must be UTF-8: byte %#02x", data[0])
			return false
		case c == '\n':
			line, column = line+1, 0
		case c < ' ' && c != '\t' && c != '\r', c == '\ufffe', c == '\uffff':
			r.mistake(place, "must be without control characters: %U", c)
			return false
		}
		column++
		data = data[size:]
	}
	return true
}

func (r *fileReader) syntax(err error) {
	place, text := &yaml.Node{}, err.Error()
	if bad := (*yaml.LoadError)(nil); errors.As(err, &bad) {
		place.Line, place.Column, text = bad.Mark.Line, bad.Mark.Column, bad.Message
	}
	r.mistake(place, "must be valid YAML: %.200s", strings.Join(strings.Fields(text), " "))
}

// items returns the items of a list. No value is as good as an empty list.
func (r *fileReader) items(list field) []*yaml.Node {
	switch {
	case isNull(list.value):
		return nil
	case r.isAlias(list.value):
		return nil
	case list.value.Kind != yaml.SequenceNode:
		r.mistake(list.value, "%s: must be a list", list.name())
		return nil
	}
	return list.value.Content
}

// fields returns the fields of a mapping, each name once. Names other than those that are given are
// mistakes, where some are given.
func (r *fileReader) fields(n *yaml.Node, what string, names ...string) []field {
	switch {
	case r.isAlias(n):
		return nil
	case n.Kind != yaml.MappingNode && len(names) == 0:
		r.mistake(n, "%s: must be a mapping of names to values", what)
		return nil
	case n.Kind != yaml.MappingNode:
		r.mistake(n, "%s: must be a mapping of %s", what, strings.Join(names, ", "))
		return nil
	}

	var fields []field
	seen := make(map[string]bool)
	for pair := range slices.Chunk(n.Content, 2) {
		f := field{pair[0], pair[1]}
		switch {
		case r.isAlias(f.key):
		case f.key.Kind != yaml.ScalarNode:
			r.mistake(f.key, "%s: must have text for keys", what)
		case len(names) > 0 && !slices.Contains(names, f.name()):
			r.mistake(f.key, "%.100q: must be one of %s", f.name(), strings.Join(names, ", "))
		case seen[f.name()]:
			r.mistake(f.key, "%.100q: must not be given more than once", f.name())
		default:
			seen[f.name()] = true
			fields = append(fields, f)
		}
	}
	return fields
}

// require tells if one of a mapping's fields has the name. Where there is a mapping, it is a mistake
// if none has.
func (r *fileReader) require(n *yaml.Node, fields []field, name string) bool {
	_, ok := lookup(fields, name)
	if !ok && n.Kind == yaml.MappingNode {
		r.mistake(n, "%s: must be given", name)
	}
	return ok
}

// text returns the value of a field that is a scalar. Where it is none, allowed continues "must be".
func (r *fileReader) text(f field, allowed string) (string, bool) {
	n := f.value
	switch {
	case r.isAlias(n):
		return "", false
	case n.Kind != yaml.ScalarNode, isNull(n):
		r.mistake(n, "%.100q: must be %s", f.name(), allowed)
		return "", false
	case n.Style&yaml.TaggedStyle != 0:
		r.mistake(n, "%.100q: must be without the tag %.100q", f.name(), n.Tag)
		return "", false
	case strings.ContainsAny(n.Value, "\r\n"):
		r.mistake(n, "%.100q: must be without line breaks", f.name())
		return "", false
	}
	return n.Value, true
}

// isAlias tells if a node is an alias, which is a mistake: what a few of them stand for could be
// larger than any file.
func (r *fileReader) isAlias(n *yaml.Node) bool {
	if n.Kind != yaml.AliasNode {
		return false
	}
	r.mistake(n, "*%.100s: must be written out, aliases are not supported", n.Value)
	return true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
