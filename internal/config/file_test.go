// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

var testDefaults = collector.GroupConfig{
	CopyRange:      128,
	QueueThreshold: 65535,
	QueueTimeout:   500 * time.Millisecond,
	BatchBuffer:    131072,
	SocketBuffer:   16777216,
}

func TestParseFile(t *testing.T) {
	group := func(number uint16, change func(*collector.GroupConfig)) collector.GroupConfig {
		g := testDefaults
		g.Group = number
		if change != nil {
			change(&g)
		}
		return g
	}
	tests := []struct {
		name string
		file string
		want file
	}{
		{name: "empty", want: file{Empty: true}},
		{name: "comments", file: "# nothing\n\n# at all\n", want: file{Empty: true}},
		{name: "empty document", file: "---\n...\n", want: file{Empty: true}},
		{name: "null", file: "null\n", want: file{Empty: true}},
		{name: "byte order mark", file: "\ufeff{}\n"},
		{name: "keys without values", file: "groups:\nprefix_rules:\n"},
		{name: "empty lists", file: "groups: []\nprefix_rules: []\n"},
		{
			name: "all settings",
			file: `
groups:
  - group: 100
    copy_range: 64B
    queue_threshold: 1000
    queue_timeout: 1s
    batch_buffer: 64KiB
    socket_buffer: 1MiB
prefix_rules:
  - match: 'fw (?P<zone>\w+) (?P<verdict>drop|reject)'
    labels: {action: '${verdict}', site: "a b"}
    prefix: 'fw ${zone}'
`,
			want: file{
				Groups: []collector.GroupConfig{{
					Group: 100, CopyRange: 64, QueueThreshold: 1000, QueueTimeout: time.Second, BatchBuffer: 65536, SocketBuffer: 1048576,
				}},
				Rules: []prefix.Rule{{
					Match:  `fw (?P<zone>\w+) (?P<verdict>drop|reject)`,
					Labels: map[string]string{"action": "${verdict}", "site": "a b"},
					Prefix: "fw ${zone}",
				}},
			},
		},
		{
			name: "settings of the flags",
			file: "groups: [{group: 5}, {copy_range: 1500, group: 0}]\n",
			want: file{Groups: []collector.GroupConfig{
				group(5, nil),
				group(0, func(g *collector.GroupConfig) { g.CopyRange = 1500 }),
			}},
		},
		{
			name: "presets in order",
			file: "prefix_rules:\n- match: a\n- preset: k3s\n- match: b\n- preset: shorewall\n",
			want: file{Rules: append(append(append(
				[]prefix.Rule{{Match: "a"}},
				prefix.Preset("k3s")...),
				prefix.Rule{Match: "b"}),
				prefix.Preset("shorewall")...)},
		},
		{
			name: "text is what it looks like",
			file: "groups: [{group: \"07\", copy_range: 0128}]\nprefix_rules: [{match: no, labels: {a: 1e3, b: 0x10, c: 'null', d: ''}}]\n",
			want: file{
				Groups: []collector.GroupConfig{group(7, nil)},
				Rules: []prefix.Rule{{
					Match: "no", Labels: map[string]string{"a": "1e3", "b": "0x10", "c": "null", "d": ""},
				}},
			},
		},
		{
			name: "Windows",
			file: "groups:\r\n  - group: 1\r\n",
			want: file{Groups: []collector.GroupConfig{group(1, nil)}},
		},
		{
			name: "anchor without alias",
			file: "groups: &groups\n- group: &number 1\n",
			want: file{Groups: []collector.GroupConfig{group(1, nil)}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warnings, err := parseFile("nflog.yml", []byte(tt.file), testDefaults, false, noLists)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected configuration (-want +got):\n%s", diff)
			}
			if len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}

func TestParseFileWarns(t *testing.T) {
	const file = "prefix_rules:\n- match: '(?P<pod>a)'\n  labels:\n    action: b\n    node: c\n"
	got, warnings, err := parseFile("nflog.yml", []byte(file), testDefaults, false, noLists)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	want := []string{
		`nflog.yml:2:10: label "pod": is often set by scrape configurations, then Prometheus stores it as exported_pod (warning)`,
		`nflog.yml:5:5: label "node": is often set by scrape configurations, then Prometheus stores it as exported_node (warning)`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("unexpected warnings (-want +got):\n%s", diff)
	}
	if len(got.Rules) != 1 {
		t.Errorf("%d rules, want 1", len(got.Rules))
	}
}

// TestGroupSettingsAreFlags checks that each setting has a flag that takes the same values.
func TestGroupSettingsAreFlags(t *testing.T) {
	app, _ := newApp()
	flags := make(map[string]string) // by name, what they allow
	for _, f := range app.Model().Flags {
		name, ok := strings.CutPrefix(f.Name, "nflog.")
		if !ok || name == "max-netns" { // about namespaces, not groups
			continue
		}
		switch v := f.Value.(type) {
		case *flagValue[uint32]:
			flags[name] = v.parser.allowed
		case *flagValue[int]:
			flags[name] = v.parser.allowed
		case *flagValue[time.Duration]:
			flags[name] = v.parser.allowed
		case *listValue[uint16]:
			flags[name] = v.parser.allowed
		default:
			t.Logf("--%s is no setting of a group", f.Name)
		}
	}

	settings := make(map[string]string)
	for _, s := range groupSettings(new(collector.GroupConfig)) {
		settings[strings.ReplaceAll(s.name, "_", "-")] = s.allowed
	}
	if diff := cmp.Diff(flags, settings); diff != "" {
		t.Errorf("flags and settings differ (-flags +settings):\n%s", diff)
	}
}
