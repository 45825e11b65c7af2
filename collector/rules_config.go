// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// A PrefixRule makes labels of the prefixes that it matches. Of several rules, only the first that
// matches a prefix counts.
//
// Match sees the bytes that the rule in the firewall has as its prefix, before anything is escaped,
// but without white space at their end. It takes a byte that is not UTF-8 for the character U+FFFD.
// What its groups matched is then escaped as the label prefix is.
type PrefixRule struct {
	// Match is a regular expression in RE2's syntax that the whole prefix has to match. Each named
	// group is a label, empty where the group took no part in the match. Of several groups that have the
	// same name, the first that took part counts.
	Match string

	// Labels are the templates of further labels, by their names.
	Labels map[string]string

	// Prefix is the template of the label prefix. The label stays as it is where this is empty.
	Prefix string
}

// A RuleField is a field of a [PrefixRule], as the configuration file names it.
type RuleField string

// The fields of a [PrefixRule].
const (
	RuleMatch  RuleField = "match"
	RuleLabels RuleField = "labels"
	RulePrefix RuleField = "prefix"
)

// A RuleProblem is something to say about a [PrefixRule].
type RuleProblem struct {
	Field RuleField // what it is about
	Label string    // which of the labels, where Field is RuleLabels
	Text  string    // one line that tells what is wrong, and where
}

// The bounds of what a rule can cost. Prefixes have no more than 127 bytes.
const (
	maxMatch    = 4096
	maxTemplate = 256
	maxSegments = 16
)

// Names that labels of rules can't have, or had better not have, beside the exporter's own.
var (
	prometheusLabels = []string{"job", "instance", "le", "quantile"}
	exporterLabels   = []string{"reason", "netns"}
	scrapeLabels     = []string{"namespace", "pod", "node", "container", "service", "cluster"}

	validLabel = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// Check returns all that makes the rule unusable, and what should be thought over.
func (r PrefixRule) Check() (mistakes, warnings []RuleProblem) {
	c, mistakes := r.compile()
	for _, name := range slices.Sorted(maps.Keys(c.labels)) {
		if !slices.Contains(scrapeLabels, name) {
			continue
		}
		p := RuleProblem{Field: RuleMatch, Text: fmt.Sprintf(
			"label %q: is often set by scrape configurations, then Prometheus stores it as exported_%s", name, name)}
		if _, ok := r.Labels[name]; ok {
			p.Field, p.Label = RuleLabels, name
		}
		warnings = append(warnings, p)
	}
	return mistakes, warnings
}

// A compiledRule is a [PrefixRule] that is ready for use.
type compiledRule struct {
	match  *regexp.Regexp
	labels map[string]template
	prefix template // nil to leave the prefix as it is
}

func (r PrefixRule) compile() (compiledRule, []RuleProblem) {
	c := compiledRule{labels: make(map[string]template)}
	var mistakes []RuleProblem
	mistake := func(field RuleField, label, format string, args ...any) {
		mistakes = append(mistakes, RuleProblem{field, label, fmt.Sprintf(format, args...)})
	}

	var groups map[string][]int // nil where they are not known
	match, err := compileMatch(r.Match)
	if err != nil {
		mistake(RuleMatch, "", "match=%.100q: %v", r.Match, err)
	} else {
		c.match = match
		groups = namedGroups(match)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if err := checkLabelName(name); err != nil {
			mistake(RuleMatch, "", "label %.100q: %v", name, err)
		}
		c.labels[name] = template{{groups: groups[name]}}
	}

	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		if err := checkLabelName(name); err != nil {
			mistake(RuleLabels, name, "label %.100q: %v", name, err)
		} else if _, ok := groups[name]; ok {
			mistake(RuleLabels, name, "label %q: must not be the name of a group of match, too", name)
		}
		t, err := parseTemplate(r.Labels[name], groups)
		if err != nil {
			mistake(RuleLabels, name, "label %.100q=%.100q: %v", name, r.Labels[name], err)
		}
		c.labels[name] = t
	}

	if r.Prefix != "" {
		if c.prefix, err = parseTemplate(r.Prefix, groups); err != nil {
			mistake(RulePrefix, "", "prefix=%.100q: %v", r.Prefix, err)
		}
	}
	return c, mistakes
}

// compileMatch compiles a regular expression such that it matches all of a text or nothing. As in
// Prometheus, a dot matches line breaks.
func compileMatch(match string) (*regexp.Regexp, error) {
	switch {
	case match == "":
		return nil, errors.New("must not be empty")
	case len(match) > maxMatch:
		return nil, fmt.Errorf("must not be longer than %d bytes", maxMatch)
	}

	// By itself first, so that its parentheses can't be those of the anchors.
	compiled, err := regexp.Compile(match)
	if err == nil {
		compiled, err = anchor(match)
	}
	if bad := (*syntax.Error)(nil); errors.As(err, &bad) {
		return nil, fmt.Errorf("must be a regular expression in RE2's syntax: %s: %.100q", bad.Code, bad.Expr)
	}
	return compiled, err
}

func anchor(match string) (*regexp.Regexp, error) {
	compiled, err := regexp.Compile(`\A(?s:` + match + `)\z`)
	if err == nil {
		return compiled, nil
	}
	// A quote, \Q, may be open at the end.
	if quoted, quotedErr := regexp.Compile(`\A(?s:` + match + `\E)\z`); quotedErr == nil {
		return quoted, nil
	}
	return nil, err
}

// namedGroups returns the numbers of the groups that have a name. Several can have the same.
func namedGroups(r *regexp.Regexp) map[string][]int {
	groups := make(map[string][]int)
	for i, name := range r.SubexpNames() {
		if name != "" {
			groups[name] = append(groups[name], i)
		}
	}
	return groups
}

func checkLabelName(name string) error {
	switch {
	case !validLabel.MatchString(name):
		return errors.New("must be a name of letters, digits and _, with no digit in front")
	case strings.HasPrefix(name, "__"):
		return errors.New("must not begin with __, which Prometheus keeps for itself")
	case slices.Contains(prometheusLabels, name):
		return errors.New("must not be one that Prometheus sets itself")
	case name == labelNames[labelPrefix]:
		return errors.New("must not be the label that the setting prefix of a rule rewrites")
	case slices.Contains(LabelNames(), name), slices.Contains(exporterLabels, name):
		return errors.New("must not be one that the exporter sets itself")
	}
	return nil
}
