// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package chartvalues reads the values of a Helm chart with their comments.
package chartvalues

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A Value is a value that a chart's user can set.
type Value struct {
	Path    string // as in helm's --set; lists are one value
	Default *yaml.Node
	Comment string // the comment before it, in one line
}

// Read returns the values of a file in their order. A mapping is one value if it is empty, or if
// it has a comment and its parts have none. Otherwise its parts are values.
func Read(file string) ([]Value, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: must be a mapping", file)
	}
	return appendParts(nil, "", document.Content[0]), nil
}

// appendParts appends the values of a mapping to values.
func appendParts(values []Value, path string, mapping *yaml.Node) []Value {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		v := Value{Path: path + key.Value, Default: value, Comment: comment(key)}
		if value.Kind == yaml.MappingNode && len(value.Content) > 0 && (v.Comment == "" || commented(value)) {
			values = appendParts(values, v.Path+".", value)
		} else {
			values = append(values, v)
		}
	}
	return values
}

// comment returns the comment right before a key, without the part above an empty line: that part
// is about more than the key.
func comment(key *yaml.Node) string {
	paragraphs := strings.Split(key.HeadComment, "\n\n")
	var words []string
	for line := range strings.Lines(paragraphs[len(paragraphs)-1]) {
		words = append(words, strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "#"))...)
	}
	return strings.Join(words, " ")
}

// commented reports whether a part of a mapping has a comment.
func commented(mapping *yaml.Node) bool {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if comment(key) != "" || value.Kind == yaml.MappingNode && commented(value) {
			return true
		}
	}
	return false
}
