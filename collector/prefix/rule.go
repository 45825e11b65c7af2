// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package prefix turns the prefixes of firewall rules into labels, and names of interfaces into label values.
package prefix

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Rule makes labels of the prefixes that it matches. Only the first rule that matches a prefix applies.
//
// Match sees the raw bytes of the firewall rule's prefix, without white space at the end. A byte that is not UTF-8
// reads as the character U+FFFD. What a group matched is escaped by escape afterwards.
type Rule struct {
	// Match is a regular expression in RE2's syntax that has to match the whole prefix. Each named group is a label,
	// empty if the group took no part in the match. Of several groups with one name, the first that took part
	// counts.
	Match string

	// Labels are templates of more labels, by name.
	Labels map[string]string

	// Prefix is the template of the label prefix. If it is empty, the label stays as it is.
	Prefix string
}

// A Field is a field of a [Rule], by its name in the configuration file.
type Field string

// The fields of a [Rule].
const (
	FieldMatch  Field = "match"
	FieldLabels Field = "labels"
	FieldPrefix Field = "prefix"
)

// A Problem is a mistake in a [Rule], or a warning about it.
type Problem struct {
	Field Field
	Label string // name of the label, if Field is FieldLabels
	Text  string // one line: what is wrong, and with which value
}

// Bounds on the cost of a rule. A prefix has at most MaxPrefix bytes.
const (
	maxMatch    = 4096
	maxTemplate = 256
	maxSegments = 16
)

// prefixLabel is the name of the label that Rule.Prefix rewrites.
const prefixLabel = "prefix"

// Label names that a rule must not use, and those that it should not.
var (
	prometheusLabels = []string{"job", "instance", "le", "quantile"}
	scrapeLabels     = []string{"namespace", "pod", "node", "container", "service", "cluster"}

	validLabel = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// Check returns the mistakes that make the rule unusable, and warnings. Labels with reserved names are a mistake.
func (r Rule) Check(reserved []string) (mistakes, warnings []Problem) {
	c, mistakes := r.compile(reserved)
	if c.match != nil {
		if text := prefixes.warning(r.Match); text != "" {
			warnings = append(warnings, Problem{Field: FieldMatch, Text: fmt.Sprintf("match=%.100q: %s", r.Match, text)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.labels)) {
		if !slices.Contains(scrapeLabels, name) {
			continue
		}
		p := Problem{Field: FieldMatch, Text: fmt.Sprintf(
			"label %q: is often set by scrape configurations, then Prometheus stores it as exported_%s", name, name)}
		if _, ok := r.Labels[name]; ok {
			p.Field, p.Label = FieldLabels, name
		}
		warnings = append(warnings, p)
	}
	return mistakes, warnings
}

// A compiledRule is a [Rule] that is ready for use.
type compiledRule struct {
	match  *regexp.Regexp
	labels map[string]template
	prefix template // nil to leave the prefix as it is
}

func (r Rule) compile(reserved []string) (compiledRule, []Problem) {
	c := compiledRule{labels: make(map[string]template)}
	var mistakes []Problem
	mistake := func(field Field, label, format string, args ...any) {
		mistakes = append(mistakes, Problem{field, label, fmt.Sprintf(format, args...)})
	}

	var groups map[string][]int // nil if they are not known
	match, err := compileMatch(r.Match)
	if err != nil {
		mistake(FieldMatch, "", "match=%.100q: %v", r.Match, err)
	} else {
		c.match = match
		groups = namedGroups(match)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if err := checkLabelName(name, reserved); err != nil {
			mistake(FieldMatch, "", "label %.100q: %v", name, err)
		}
		c.labels[name] = template{{groups: groups[name]}}
	}

	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		if err := checkLabelName(name, reserved); err != nil {
			mistake(FieldLabels, name, "label %.100q: %v", name, err)
		} else if _, ok := groups[name]; ok {
			mistake(FieldLabels, name, "label %q: must not be the name of a group of match, too", name)
		}
		t, err := parseTemplate(r.Labels[name], groups)
		if err != nil {
			mistake(FieldLabels, name, "label %.100q=%.100q: %v", name, r.Labels[name], err)
		}
		c.labels[name] = t
	}

	if r.Prefix != "" {
		if c.prefix, err = parseTemplate(r.Prefix, groups); err != nil {
			mistake(FieldPrefix, "", "prefix=%.100q: %v", r.Prefix, err)
		}
	}
	return c, mistakes
}

func checkLabelName(name string, reserved []string) error {
	switch {
	case !validLabel.MatchString(name):
		return errors.New("must be a name of letters, digits and _, with no digit in front")
	case strings.HasPrefix(name, "__"):
		return errors.New("must not begin with __, which Prometheus keeps for itself")
	case slices.Contains(prometheusLabels, name):
		return errors.New("must not be one that Prometheus sets itself")
	case name == prefixLabel:
		return errors.New("must not be the label that the setting prefix of a rule rewrites")
	case slices.Contains(reserved, name):
		return errors.New("must not be one that the exporter sets itself")
	}
	return nil
}
