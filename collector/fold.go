// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// An InterfacePattern gives interfaces whose names churn a name in common.
type InterfacePattern struct {
	match       *regexp.Regexp
	replacement template
}

// NewInterfacePattern returns the pattern that gives the replacement as name to each interface whose name the regular
// expression matches as a whole. In the replacement, ${1} or ${NAME} stands for what a group of the expression
// matched, and $$ for a dollar. Where that leaves nothing, which would read as no interface at all, the name stays.
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
	return InterfacePattern{match: re, replacement: t}, nil
}

// An interfaceFolder applies the first pattern that matches. It remembers what came of it, as there are fewer
// interfaces than label sets.
type interfaceFolder struct {
	patterns []InterfacePattern
	memo     map[string]foldedName
}

type foldedName struct {
	label  string // value
	folded bool   // it is not the name of one interface any more
}

// maxFoldedNames bounds the memory of an interfaceFolder, which begins anew then.
const maxFoldedNames = 4096

// fold returns what an interface is called.
func (f *interfaceFolder) fold(name string) foldedName {
	if len(f.patterns) == 0 || name == "" {
		return foldedName{label: escapeLabel(name)}
	}
	folded, ok := f.memo[name]
	if !ok {
		if f.memo == nil || len(f.memo) == maxFoldedNames {
			f.memo = make(map[string]foldedName)
		}
		folded = f.apply(name)
		f.memo[name] = folded
	}
	return folded
}

func (f *interfaceFolder) apply(name string) foldedName {
	for _, p := range f.patterns {
		if at := p.match.FindStringSubmatchIndex(name); at != nil {
			if label := p.replacement.expand(name, at); label != "" {
				return foldedName{label: label, folded: true}
			}
			break
		}
	}
	return foldedName{label: escapeLabel(name)}
}
