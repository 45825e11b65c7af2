// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// An InterfacePattern renames interfaces in labels, so that names that come and go share one value.
type InterfacePattern struct {
	text        string // as String returns it
	expression  string
	match       *regexp.Regexp
	replacement template
}

// String returns the pattern as EXPRESSION=REPLACEMENT.
func (p InterfacePattern) String() string { return p.text }

// Matches reports whether the pattern matches the name of an interface.
func (p InterfacePattern) Matches(name string) bool { return p.match.MatchString(name) }

// Warning returns why the pattern can match no interface, or not what its author is likely to mean, or "" if neither.
func (p InterfacePattern) Warning() string {
	return interfaceNames.warning(p.expression)
}

// NewInterfacePattern returns a pattern that renames each interface whose whole name matches the regular expression. In
// the replacement, ${1} or ${NAME} stands for a group of the expression, and $$ for a dollar. A name is kept if
// the replacement expands to "": an empty label means no interface.
func NewInterfacePattern(match, replacement string) (InterfacePattern, error) {
	re, err := compileMatch(match)
	if err != nil {
		return InterfacePattern{}, fmt.Errorf("the expression %w", err)
	}
	if replacement == "" {
		return InterfacePattern{}, errors.New("the replacement must not be empty")
	}
	groups := namedGroups(re)
	for n := range re.NumSubexp() + 1 {
		groups[strconv.Itoa(n)] = []int{n}
	}
	t, err := parseTemplate(replacement, groups)
	if err != nil {
		return InterfacePattern{}, fmt.Errorf("the replacement %w", err)
	}
	return InterfacePattern{text: match + "=" + replacement, expression: match, match: re, replacement: t}, nil
}

// An InterfaceRenamer applies patterns to names of interfaces, and remembers the results. One goroutine may use it at
// a time.
type InterfaceRenamer struct {
	patterns []InterfacePattern
	known    map[string]renamed
}

type renamed struct {
	label string
	match bool
}

// maxKnownInterfaces bounds the memory of an InterfaceRenamer, which starts over then.
const maxKnownInterfaces = 4096

// NewInterfaceRenamer returns a renamer by the first pattern that matches a name.
func NewInterfaceRenamer(patterns []InterfacePattern) *InterfaceRenamer {
	return &InterfaceRenamer{patterns: patterns}
}

// Rename returns the label value of an interface, and whether a pattern gave it: then it is not the name of one interface.
func (r *InterfaceRenamer) Rename(name string) (label string, match bool) {
	if len(r.patterns) == 0 || name == "" {
		return Escape(name), false
	}
	n, ok := r.known[name]
	if !ok {
		if r.known == nil || len(r.known) == maxKnownInterfaces {
			r.known = make(map[string]renamed)
		}
		n = r.apply(name)
		r.known[name] = n
	}
	return n.label, n.match
}

func (r *InterfaceRenamer) apply(name string) renamed {
	for _, p := range r.patterns {
		if at := p.match.FindStringSubmatchIndex(name); at != nil {
			if label := p.replacement.expand(name, at); label != "" {
				return renamed{label: notOverflow(label), match: true}
			}
			break
		}
	}
	return renamed{label: Escape(name)}
}
