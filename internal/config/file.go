// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A file is what the configuration file says.
type file struct {
	Groups   []collector.GroupConfig // empty if the flags name the groups
	Rules    []prefix.Rule
	Networks []network.Network
	Empty    bool // it has nothing but comments
}

// parseFile parses what a configuration file has. Groups take missing settings from defaults. Groups in the file are a
// mistake if the command line has groups, too. readList reads the files of CIDRs that it names. The error has all mistakes, as
// [Diagnostics].
func parseFile(path string, data []byte, defaults collector.GroupConfig, groupsOnCommandLine bool, readList func(path string) ([]byte, error)) (file, []Diagnostic, error) {
	var c file
	r := &yamlReader{path: path}
	root := r.document(data)
	c.Empty = root == nil
	if root != nil {
		for _, f := range r.fields(root, "the file", "groups", "prefix_rules", "networks") {
			switch f.name() {
			case "groups":
				c.Groups = r.groups(f, defaults)
				if groupsOnCommandLine && len(f.value.Content) > 0 {
					r.mistake(f.key, "groups: must not be given together with --nflog.group")
				}
			case "prefix_rules":
				c.Rules = r.prefixRules(f)
			case "networks":
				c.Networks = r.networks(f, readList)
			}
		}
	}
	warnings, err := r.result()
	if err != nil {
		return file{}, warnings, err
	}
	return c, warnings, nil
}

// A setting is a setting of a group.
type setting struct {
	name    string // in the file
	allowed string // completes "must be"
	set     func(string) bool
	must    func(string) string // says what a text that set does not take must be
}

func newSetting[T any](name string, p valueParser[T], target *T) setting {
	set := func(s string) bool {
		t, ok := p.parse(s)
		if ok {
			*target = t
		}
		return ok
	}
	return setting{name, p.allowed, set, p.must}
}

// groupSettings returns the settings of a group. The first is its number.
func groupSettings(g *collector.GroupConfig) []setting {
	return []setting{
		newSetting("group", groupNumber(), &g.Group),
		newSetting("copy_range", copyRange(), &g.CopyRange),
		newSetting("queue_threshold", queueThreshold(), &g.QueueThreshold),
		newSetting("queue_timeout", queueTimeout(), &g.QueueTimeout),
		newSetting("batch_buffer", batchBuffer(), &g.BatchBuffer),
		newSetting("socket_buffer", socketBuffer(), &g.SocketBuffer),
	}
}

func (r *yamlReader) groups(list field, defaults collector.GroupConfig) []collector.GroupConfig {
	var groups []collector.GroupConfig
	seen := make(map[uint16]bool)
	for _, item := range r.items(list) {
		g := defaults
		number := r.group(item, &g)
		if number == nil {
			continue
		}
		if seen[g.Group] {
			r.mistake(number, "group=%q: must not be given more than once", number.Value)
		}
		seen[g.Group] = true
		groups = append(groups, g)
	}
	return groups
}

// group reads a group, and returns the node of its number if that is valid.
func (r *yamlReader) group(item *yaml.Node, g *collector.GroupConfig) (number *yaml.Node) {
	settings := make(map[string]setting)
	var names []string
	for _, s := range groupSettings(g) {
		settings[s.name] = s
		names = append(names, s.name)
	}

	fields := r.fields(item, "an item of groups", names...)
	for _, f := range fields {
		s := settings[f.name()]
		value, ok := r.text(f, s.allowed)
		switch {
		case !ok:
		case !s.set(value):
			r.mistake(f.value, "%s=%.100q: %s", s.name, value, s.must(value))
		case s.name == names[0]:
			number = f.value
		}
	}
	r.require(item, fields, names[0])
	return number
}
