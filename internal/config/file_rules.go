// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// The names that the settings of prefix rules have in the file.
const (
	presetSetting = "preset"
	matchSetting  = string(prefix.FieldMatch)
	labelsSetting = string(prefix.FieldLabels)
	prefixSetting = string(prefix.FieldPrefix)
)

// templateText says what the values of labels and prefix are.
const templateText = "text in which ${NAME} stands for a named group of match"

func (r *fileReader) prefixRules(list field) []prefix.Rule {
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

func (r *fileReader) preset(preset field, fields []field) []prefix.Rule {
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
		r.mistake(preset.value, "%s=%.100q: must be %s", presetSetting, name, names.allowed)
	}
	return prefix.Preset(name)
}

func (r *fileReader) prefixRule(fields []field) prefix.Rule {
	var rule prefix.Rule
	places := make(map[prefix.Field]*yaml.Node) // of what could be read
	labels := make(map[string]*yaml.Node)
	for _, f := range fields {
		ok := true
		switch f.name() {
		case matchSetting:
			rule.Match, ok = r.text(f, "a regular expression in RE2's syntax")
		case prefixSetting:
			rule.Prefix, ok = r.text(f, templateText)
			if ok && rule.Prefix == "" {
				r.mistake(f.value, "%s: must not be empty, leave it out to keep the prefix", prefixSetting)
			}
		case labelsSetting:
			rule.Labels = make(map[string]string)
			for _, l := range r.fields(f.value, labelsSetting) {
				// The name is looked at, too, where the value can't be read.
				rule.Labels[l.name()], _ = r.text(l, templateText)
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
		// A match that could not be read has been remarked on already.
		if n := place(p); n != nil {
			r.mistake(n, "%s", p.Text)
		}
	}
	for _, p := range warnings {
		r.warn(place(p), "%s", p.Text)
	}
	return rule
}
