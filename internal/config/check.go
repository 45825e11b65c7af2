// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// addCheckFlags adds the flags that check the others.
func addCheckFlags(app *kingpin.Application, o *Options) {
	app.Flag("config.check",
		"Check flags and configuration file, report every mistake, and exit.").BoolVar(&o.ConfigCheck)
	app.Flag("config.check-prefix",
		"As --config.check, and show the labels of a firewall rule's prefix. Repeatable.").
		PlaceHolder("PREFIX").SetValue(&listValue[string]{"config.check-prefix", rulePrefix(), &o.checkPrefixes})
	app.Flag("config.check-interface",
		"As --config.check, and show the label of an interface. Repeatable.").
		PlaceHolder("NAME").SetValue(&listValue[string]{"config.check-interface", interfaceName(), &o.checkInterfaces})
}

// rulePrefix takes what the kernel takes as the prefix of a rule.
func rulePrefix() valueParser[string] {
	return valueParser[string]{
		allowed: fmt.Sprintf("at most %d bytes, as the kernel has it", prefix.MaxPrefix),
		parse:   func(s string) (string, bool) { return s, len(s) <= prefix.MaxPrefix },
	}
}

// interfaceName takes what the kernel takes as the name of an interface: dev_valid_name, net/core/dev.c.
func interfaceName() valueParser[string] {
	return valueParser[string]{
		allowed: fmt.Sprintf("a name of 1 to %d bytes without / : and white space", prefix.MaxInterface),
		parse: func(s string) (string, bool) {
			return s, s != "" && s != "." && s != ".." && len(s) <= prefix.MaxInterface && !strings.ContainsAny(s, "/: \t\n\v\f\r")
		},
	}
}

// Warnings returns warnings about the flags. They have no place in a file.
func (o *Options) Warnings() []Diagnostic {
	var warnings []Diagnostic
	for _, p := range o.collector.InterfacePatterns {
		if text := p.Warning(); text != "" {
			warnings = append(warnings, Diagnostic{Text: fmt.Sprintf("--collector.interface-pattern=%.100q: %s", p, text), Warning: true})
		}
	}
	return warnings
}

// Try returns a line for each prefix and interface of --config.check-prefix and --config.check-interface: what matches it in
// the configuration that Load returned, and which labels it gets.
func (o *Options) Try(c collector.Config) ([]string, error) {
	rules, err := prefix.NewRules(c.PrefixRules, collector.ReservedLabels())
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, raw := range o.checkPrefixes {
		by := "no rule matches"
		if n := rules.Match(raw); n >= 0 {
			by = fmt.Sprintf("the rule with match=%q applies", c.PrefixRules[n].Match)
		}
		lines = append(lines, fmt.Sprintf("prefix %q: %s: %s", raw, by, labelsOf(rules, raw)))
	}
	renamer := prefix.NewInterfaceRenamer(c.InterfacePatterns)
	for _, name := range o.checkInterfaces {
		by := "no pattern matches"
		for _, p := range c.InterfacePatterns {
			if p.Matches(name) {
				by = fmt.Sprintf("the pattern %q applies", p)
				break
			}
		}
		label, _ := renamer.Rename(name)
		lines = append(lines, fmt.Sprintf("interface %q: %s: %q", name, by, label))
	}
	return lines, nil
}

// labelsOf returns the labels that depend on a prefix and have a value, as PromQL writes them.
func labelsOf(rules *prefix.Rules, raw string) string {
	label, values := rules.Apply(raw)
	texts := []string{fmt.Sprintf("prefix=%q", label)}
	for i, name := range rules.LabelNames() {
		if values[i] != "" {
			texts = append(texts, fmt.Sprintf("%s=%q", name, values[i]))
		}
	}
	return strings.Join(texts, ", ")
}
