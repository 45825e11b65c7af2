// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "regexp"

// An InterfacePattern gives interfaces whose names churn a name in common.
type InterfacePattern struct {
	match       *regexp.Regexp
	replacement string
}

// NewInterfacePattern returns the pattern that makes the replacement, a template as
// [regexp.Regexp.Expand] has it, of each name that the regular expression matches as a whole.
func NewInterfacePattern(match, replacement string) (InterfacePattern, error) {
	if _, err := regexp.Compile(match); err != nil {
		return InterfacePattern{}, err
	}
	re, err := regexp.Compile("^(?:" + match + ")$")
	return InterfacePattern{match: re, replacement: replacement}, err
}

// An interfaceFolder applies the first pattern that matches. It remembers what came of it, as there are fewer
// interfaces than label sets.
type interfaceFolder struct {
	patterns []InterfacePattern
	memo     map[string]foldedName
}

type foldedName struct {
	name   string
	folded bool // it is not the name of one interface any more
}

// maxFoldedNames bounds the memory of an interfaceFolder, which begins anew then.
const maxFoldedNames = 4096

// fold returns what an interface is called.
func (f *interfaceFolder) fold(name string) foldedName {
	if len(f.patterns) == 0 || name == "" {
		return foldedName{name: name}
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
			return foldedName{name: string(p.match.ExpandString(nil, p.replacement, name, at)), folded: true}
		}
	}
	return foldedName{name: name}
}
