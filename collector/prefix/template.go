// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A template makes a label value of a match: ${zone} stands for what the group zone matched, $$ for a dollar, and
// anything else for itself.
type template []segment

// A segment is a literal, or groups: the first that took part in the match counts.
type segment struct {
	groups  []int // their numbers; none for a literal
	literal string
}

// parseTemplate parses a template that may refer to these groups, or to any if groups is nil.
func parseTemplate(s string, groups map[string][]int) (template, error) {
	switch {
	case len(s) > maxTemplate:
		return nil, fmt.Errorf("must not be longer than %d bytes", maxTemplate)
	case !utf8.ValidString(s):
		return nil, errors.New("must be UTF-8")
	case strings.ContainsFunc(s, unprintable):
		return nil, errors.New("must not have control characters, or characters that set the direction of text")
	}
	t := template{}
	for s != "" {
		literal, rest, found := strings.Cut(s, "$")
		if literal != "" {
			t = append(t, segment{literal: literal})
		}
		if !found {
			break
		}
		if after, ok := strings.CutPrefix(rest, "$"); ok {
			t = append(t, segment{literal: "$"})
			s = after
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		name, opened := strings.CutPrefix(name, "{")
		if !opened || !closed {
			return nil, errors.New("must be text in which ${NAME} stands for a named group of match, and $$ for $")
		}
		numbers, known := groups[name]
		if groups != nil && !known {
			return nil, fmt.Errorf("must name groups of match, which has no group %q", name)
		}
		t = append(t, segment{groups: numbers})
		s = after
	}
	if len(t) > maxSegments {
		return nil, fmt.Errorf("must not have more than %d parts", maxSegments)
	}
	return t, nil
}

// expand returns the value for a match in a text. groups are the bounds of its groups, see
// [regexp.Regexp.FindStringSubmatchIndex].
func (t template) expand(text string, groups []int) string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.literal)
		for _, n := range s.groups {
			if start, end := groups[2*n], groups[2*n+1]; start >= 0 {
				b.WriteString(escape(text[start:end]))
				break
			}
		}
	}
	return b.String()
}
