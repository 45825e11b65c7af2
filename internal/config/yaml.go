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

// A yamlReader reads values from a YAML file, and collects diagnostics. It reads a scalar by its text: no, 0x10 and 1e3 stay
// what the file has.
type yamlReader struct {
	path     string
	mistakes Diagnostics
	warnings []Diagnostic
}

// A field is a key with its value.
type field struct{ key, value *yaml.Node }

func (f field) name() string { return f.key.Value }

func lookup(fields []field, name string) (field, bool) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name() == name })
	if i < 0 {
		return field{}, false
	}
	return fields[i], true
}

func (r *yamlReader) mistake(n *yaml.Node, format string, args ...any) {
	r.mistakes = append(r.mistakes, r.diagnostic(n, fmt.Sprintf(format, args...)))
}

func (r *yamlReader) warn(n *yaml.Node, format string, args ...any) {
	d := r.diagnostic(n, fmt.Sprintf(format, args...))
	d.Warning = true
	r.warnings = append(r.warnings, d)
}

func (r *yamlReader) diagnostic(n *yaml.Node, text string) Diagnostic {
	// Some nodes and errors of the YAML library have no place.
	return Diagnostic{Path: r.path, Line: max(n.Line, 1), Column: max(n.Column, 1), Text: text}
}

// result returns the warnings, and the mistakes if there are any. Both are in the order of the file.
func (r *yamlReader) result() (warnings []Diagnostic, err error) {
	r.sortByPlace(r.warnings)
	r.sortByPlace(r.mistakes)
	switch more := len(r.mistakes) - maxMistakes; {
	case len(r.mistakes) == 0:
		return r.warnings, nil
	case more > 0:
		r.mistakes[maxMistakes].Text = fmt.Sprintf("and %d more mistakes from here on", more)
		return r.warnings, r.mistakes[:maxMistakes+1]
	}
	return r.warnings, r.mistakes
}

// sortByPlace sorts diagnostics: first those of the file, then those of files that it names, each by place.
func (r *yamlReader) sortByPlace(diagnostics []Diagnostic) {
	slices.SortStableFunc(diagnostics, func(a, b Diagnostic) int {
		rank := func(d Diagnostic) string { return strings.TrimPrefix(d.Path, r.path) } // empty for the file itself
		return cmp.Or(strings.Compare(rank(a), rank(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// document returns the root of the only document, or nil if the file is empty or has a mistake.
func (r *yamlReader) document(data []byte) *yaml.Node {
	if !r.checkCharacters(data) {
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
		r.syntax(err, data)
		return nil
	case len(doc.Content) == 0 || isNull(doc.Content[0]):
		return nil
	}
	return doc.Content[0]
}

// checkCharacters reports whether YAML allows all characters. The library names a bad character, but not its place.
func (r *yamlReader) checkCharacters(data []byte) bool {
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
			r.mistake(place, "must not have control characters: %U", c)
			return false
		}
		column++
		data = data[size:]
	}
	return true
}

func (r *yamlReader) syntax(err error, data []byte) {
	place, text, cure := &yaml.Node{}, err.Error(), ""
	if bad, ok := errors.AsType[*yaml.LoadError](err); ok {
		place.Line, place.Column, text = bad.Mark.Line, bad.Mark.Column, bad.Message
		cure = syntaxCure(text, data, place.Line, place.Column)
	}
	r.mistake(place, "must be valid YAML: %.200s%s", strings.Join(strings.Fields(text), " "), asHint(cure))
}

// items returns the items of a list. A missing value is an empty list.
func (r *yamlReader) items(list field) []*yaml.Node {
	switch {
	case isNull(list.value):
		return nil
	case r.isAlias(list.value):
		return nil
	case list.value.Kind == yaml.MappingNode:
		r.mistake(list.value, "%s: must be a list: %s", list.name(), cureItems)
		return nil
	case list.value.Kind != yaml.SequenceNode:
		r.mistake(list.value, "%s: must be a list", list.name())
		return nil
	}
	return list.value.Content
}

// fields returns the fields of a mapping, each name once. If names are given, other names are mistakes. Texts call the
// mapping what.
func (r *yamlReader) fields(n *yaml.Node, what string, names ...string) []field {
	switch {
	case r.isAlias(n):
		return nil
	case n.Kind != yaml.MappingNode && len(names) == 0:
		r.mistake(n, "%s: must be a mapping of names to values%s", what, asHint(nodeCure(n)))
		return nil
	case n.Kind != yaml.MappingNode:
		r.mistake(n, "%s: must be a mapping of %s%s", what, strings.Join(names, ", "), asHint(nodeCure(n)))
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
		case nodeCure(f.key) != "":
			r.mistake(f.key, "%.100q: must be a key: %s", f.name(), nodeCure(f.key))
		case len(names) > 0 && !slices.Contains(names, f.name()):
			r.mistake(f.key, "%.100q: must be one of %s%s", f.name(), strings.Join(names, ", "), asHint(didYouMean(f.name(), names)))
		case seen[f.name()]:
			r.mistake(f.key, "%.100q: must not be given more than once", f.name())
		default:
			seen[f.name()] = true
			fields = append(fields, f)
		}
	}
	return fields
}

// require reports a mistake if n is a mapping without a field of that name. Other nodes are reported already.
func (r *yamlReader) require(n *yaml.Node, fields []field, name string) {
	if _, ok := lookup(fields, name); !ok && n.Kind == yaml.MappingNode {
		r.mistake(n, "%s: must be given", name)
	}
}

// text returns the value of a field, which must be a scalar. The parameter allowed completes "must be".
func (r *yamlReader) text(f field, allowed string) (string, bool) {
	n := f.value
	switch {
	case r.isAlias(n):
		return "", false
	case n.Kind != yaml.ScalarNode, isNull(n):
		r.mistake(n, "%.100q: must be %s%s", f.name(), allowed, asHint(textCure(n, allowed)))
		return "", false
	case n.Style&yaml.TaggedStyle != 0:
		cure := quoteValue("!")
		if strings.HasPrefix(n.Tag, "!!") {
			cure = "" // a tag of YAML itself is there on purpose
		}
		r.mistake(n, "%.100q: must not have the tag %.100q%s", f.name(), n.Tag, asHint(cure))
		return "", false
	case strings.ContainsAny(n.Value, "\r\n"):
		r.mistake(n, "%.100q: must not have line breaks", f.name())
		return "", false
	}
	return n.Value, true
}

// isAlias reports whether a node is an alias, which is a mistake: a few of them could expand to more than fits in memory.
func (r *yamlReader) isAlias(n *yaml.Node) bool {
	if n.Kind != yaml.AliasNode {
		return false
	}
	r.mistake(n, "*%.100s: must not be an alias, write the value out", n.Value)
	return true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
