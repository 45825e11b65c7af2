// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// compileMatch compiles a regular expression that matches a whole text or nothing. As in Prometheus, a dot matches line
// breaks.
func compileMatch(match string) (*regexp.Regexp, error) {
	switch {
	case match == "":
		return nil, errors.New("must not be empty")
	case len(match) > maxMatch:
		return nil, fmt.Errorf("must not be longer than %d bytes", maxMatch)
	}

	// Compile it alone first: its parentheses must not close those of the anchors.
	compiled, err := regexp.Compile(match)
	if err == nil {
		compiled, err = anchor(match)
	}
	if bad, ok := errors.AsType[*syntax.Error](err); ok {
		cure := ""
		if bad.Code == syntax.ErrMissingRepeatArgument && strings.HasPrefix(match, "*") {
			cure = ", write .* for any text"
		}
		return nil, fmt.Errorf("must be a regular expression in RE2's syntax: %s: %.100q%s", bad.Code, bad.Expr, cure)
	}
	return compiled, err
}

func anchor(match string) (*regexp.Regexp, error) {
	compiled, err := regexp.Compile(`\A(?s:` + match + `)\z`)
	if err == nil {
		return compiled, nil
	}
	// A quote, \Q, may still be open at the end.
	if quoted, quotedErr := regexp.Compile(`\A(?s:` + match + `\E)\z`); quotedErr == nil {
		return quoted, nil
	}
	return nil, err
}

// namedGroups returns the numbers of the named groups. Several groups can share a name.
func namedGroups(r *regexp.Regexp) map[string][]int {
	groups := make(map[string][]int)
	for i, name := range r.SubexpNames() {
		if name != "" {
			groups[name] = append(groups[name], i)
		}
	}
	return groups
}
