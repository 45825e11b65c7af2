// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// The names of a prefix rule's settings in the file.
const (
	presetSetting = "preset"
	matchSetting  = string(prefix.FieldMatch)
	labelsSetting = string(prefix.FieldLabels)
	prefixSetting = string(prefix.FieldPrefix)
)

// What values of match, and of labels and prefix, can be. They complete "must be".
const (
	expressionAllowed = "a regular expression in RE2's syntax"
	templateAllowed   = "text in which ${NAME} stands for a named group of match"
)

func (r *yamlReader) prefixRules(list field) []prefix.Rule {
	var rules []prefix.Rule
	for _, item := range r.items(list) {
		fields := r.fields(item, "an item of prefix_rules", presetSetting, matchSetting, labelsSetting, prefixSetting)
		if preset, ok := lookup(fields, presetSetting); ok {
			rules = append(rules, r.preset(preset, fields)...)
			continue
		}
		r.require(item, fields, matchSetting)
		rules = append(rules, r.prefixRule(fields))
	}
	return rules
}

func (r *yamlReader) preset(preset field, fields []field) []prefix.Rule {
	for _, f := range fields {
		if f != preset {
			r.mistake(f.key, "%s: must not be given together with %s", f.name(), presetSetting)
		}
	}
	names := oneOf(prefix.Presets()...)
	name, ok := r.text(preset, names.allowed)
	if !ok {
		return nil
	}
	if _, ok := names.parse(name); !ok {
		r.mistake(preset.value, "%s=%.100q: %s", presetSetting, name, names.must(name))
	}
	return prefix.Preset(name)
}

// prefixRule reads a rule, and reports what the rule's own check finds.
func (r *yamlReader) prefixRule(fields []field) prefix.Rule {
	var rule prefix.Rule
	places := make(map[prefix.Field]*yaml.Node) // of the fields that could be read
	labels := make(map[string]*yaml.Node)
	for _, f := range fields {
		ok := true
		switch f.name() {
		case matchSetting:
			rule.Match, ok = r.text(f, expressionAllowed)
		case prefixSetting:
			rule.Prefix, ok = r.text(f, templateAllowed)
			if ok && rule.Prefix == "" {
				r.mistake(f.value, "%s: must not be empty, leave it out to keep the prefix", prefixSetting)
			}
		case labelsSetting:
			rule.Labels = make(map[string]string)
			for _, l := range r.fields(f.value, labelsSetting) {
				// Without a readable value, the name is checked all the same.
				rule.Labels[l.name()], _ = r.text(l, templateAllowed)
				labels[l.name()] = l.key
			}
		}
		if ok {
			places[prefix.Field(f.name())] = f.value
		}
	}

	place := func(p prefix.Problem) *yaml.Node {
		if p.Field == prefix.FieldLabels {
			return labels[p.Label]
		}
		return places[p.Field]
	}
	mistakes, warnings := rule.Check(collector.ReservedLabels())
	for _, p := range mistakes {
		// A match that could not be read has no place. It is reported already.
		if n := place(p); n != nil {
			r.mistake(n, "%s", p.Text)
		}
	}
	for _, p := range warnings {
		r.warn(place(p), "%s", p.Text)
	}
	return rule
}
