// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// maxConfigFile is far more than a configuration needs.
const maxConfigFile = 256 * kibibyte

// File is what the configuration file says.
type File struct {
	Groups []collector.GroupConfig // none where the file leaves them to the flags
	Rules  []prefix.Rule
}

// loadConfigFile reads a configuration file. Its groups have the settings of defaults where they have
// none of their own; they are a mistake where the command line names groups. All mistakes are in the
// error, a line each.
func loadConfigFile(path string, defaults collector.GroupConfig, groupsOnCommandLine bool) (File, []Diagnostic, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	switch {
	case err != nil:
		return File{}, nil, err
	case len(data) > maxConfigFile:
		return File{}, nil, fmt.Errorf("%s: must not be larger than %s", path, formatSize(maxConfigFile))
	}
	return parseConfigFile(path, data, defaults, groupsOnCommandLine)
}

func parseConfigFile(path string, data []byte, defaults collector.GroupConfig, groupsOnCommandLine bool) (File, []Diagnostic, error) {
	var c File
	r := &fileReader{path: path}
	if root := r.document(data); root != nil {
		for _, f := range r.fields(root, "the file", "groups", "prefix_rules") {
			switch f.name() {
			case "groups":
				c.Groups = r.groups(f, defaults)
				if groupsOnCommandLine && len(f.value.Content) > 0 {
					r.mistake(f.key, "groups: must not be given together with --nflog.group")
				}
			case "prefix_rules":
				c.Rules = r.prefixRules(f)
			}
		}
	}
	warnings, err := r.result()
	if err != nil {
		return File{}, warnings, err
	}
	return c, warnings, nil
}

// The values that the settings of a group can have, by flag as by file.
var (
	groupDomain          = numberBetween[uint16](0, 65535)
	copyRangeDomain      = sizeBetween[uint32](1, 65531)
	queueThresholdDomain = numberBetween[uint32](1, 65535)
	queueTimeoutDomain   = durationBetween(10*time.Millisecond, time.Hour, 10*time.Millisecond)
	batchBufferDomain    = sizeBetween[uint32](3776, 128*kibibyte)
	socketBufferDomain   = sizeBetween[int](4*kibibyte, gibibyte)
)

// setting is a setting of a group, by its name in the file.
type setting struct {
	name    string
	allowed string // continues "must be"
	set     func(string) bool
}

func settingIn[T comparable](d domain[T], name string, target *T) setting {
	return setting{name, d.allowed, func(s string) bool {
		t, ok := d.parse(s)
		if ok {
			*target = t
		}
		return ok
	}}
}

// groupSettings returns what can be set in a group. The first is its number.
func groupSettings(g *collector.GroupConfig) []setting {
	return []setting{
		settingIn(groupDomain, "group", &g.Group),
		settingIn(copyRangeDomain, "copy_range", &g.CopyRange),
		settingIn(queueThresholdDomain, "queue_threshold", &g.QueueThreshold),
		settingIn(queueTimeoutDomain, "queue_timeout", &g.QueueTimeout),
		settingIn(batchBufferDomain, "batch_buffer", &g.BatchBuffer),
		settingIn(socketBufferDomain, "socket_buffer", &g.SocketBuffer),
	}
}

func (r *fileReader) groups(list field, defaults collector.GroupConfig) []collector.GroupConfig {
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

// group reads a group, and returns the node of its number if that is one.
func (r *fileReader) group(item *yaml.Node, g *collector.GroupConfig) (number *yaml.Node) {
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
			r.mistake(f.value, "%s=%.100q: must be %s", s.name, value, s.allowed)
		case s.name == names[0]:
			number = f.value
		}
	}
	r.require(item, fields, names[0])
	return number
}
