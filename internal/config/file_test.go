// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"os"
	"path/filepath"
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

func TestParseConfigFile(t *testing.T) {
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
		want File
	}{
		{name: "empty"},
		{name: "comments", file: "# nothing\n\n# at all\n"},
		{name: "empty document", file: "---\n...\n"},
		{name: "null", file: "null\n"},
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
			want: File{
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
			want: File{Groups: []collector.GroupConfig{
				group(5, nil),
				group(0, func(g *collector.GroupConfig) { g.CopyRange = 1500 }),
			}},
		},
		{
			name: "presets in order",
			file: "prefix_rules:\n- match: a\n- preset: k3s\n- match: b\n- preset: shorewall\n",
			want: File{Rules: append(append(append(
				[]prefix.Rule{{Match: "a"}},
				prefix.Preset("k3s")...),
				prefix.Rule{Match: "b"}),
				prefix.Preset("shorewall")...)},
		},
		{
			name: "text is what it looks like",
			file: "groups: [{group: \"07\", copy_range: 0128}]\nprefix_rules: [{match: no, labels: {a: 1e3, b: 0x10, c: 'null', d: ''}}]\n",
			want: File{
				Groups: []collector.GroupConfig{group(7, nil)},
				Rules: []prefix.Rule{{
					Match: "no", Labels: map[string]string{"a": "1e3", "b": "0x10", "c": "null", "d": ""},
				}},
			},
		},
		{
			name: "Windows",
			file: "groups:\r\n  - group: 1\r\n",
			want: File{Groups: []collector.GroupConfig{group(1, nil)}},
		},
		{
			name: "anchor without alias",
			file: "groups: &groups\n- group: &number 1\n",
			want: File{Groups: []collector.GroupConfig{group(1, nil)}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warnings, err := parseConfigFile("nflog.yml", []byte(tt.file), testDefaults, false)
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

func TestParseConfigFileRefuses(t *testing.T) {
	const (
		sizes     = ", written like 128, 128B or 64KiB"
		settings  = "group, copy_range, queue_threshold, queue_timeout, batch_buffer, socket_buffer"
		templates = "must be text in which ${NAME} stands for a named group of match"
	)
	tests := []struct {
		name        string
		file        string
		groupsGiven bool
		want        []string
	}{
		{name: "no mapping", file: "groups\n", want: []string{"1:1: the file: must be a mapping of groups, prefix_rules"}},
		{name: "list", file: "\n- groups: []\n", want: []string{"2:1: the file: must be a mapping of groups, prefix_rules"}},
		{name: "unknown key", file: "groups: []\ngroup: 5\n", want: []string{`2:1: "group": must be one of groups, prefix_rules`}},
		{name: "duplicate key", file: "groups: []\ngroups: []\n", want: []string{`2:1: "groups": must not be given more than once`}},
		{name: "key that is no text", file: "? [groups]\n: 1\n", want: []string{"1:3: the file: must have text for keys"}},
		{
			name: "no lists", file: "groups: 100\nprefix_rules: {match: a}\n",
			want: []string{"1:9: groups: must be a list", "2:15: prefix_rules: must be a list"},
		},
		{
			name: "groups by flag, too", file: "groups:\n- group: 5\n", groupsGiven: true,
			want: []string{"1:1: groups: must not be given together with --nflog.group"},
		},
		{
			name: "each setting out of range",
			file: `groups:
  - group: 65536
    copy_range: 0
    queue_threshold: 65536
    queue_timeout: 15ms
    batch_buffer: 1kB
    socket_buffer: -1
`,
			want: []string{
				`2:12: group="65536": must be a number from 0 to 65535`,
				`3:17: copy_range="0": must be 1B to 65531B` + sizes,
				`4:22: queue_threshold="65536": must be a number from 1 to 65535`,
				`5:20: queue_timeout="15ms": must be a multiple of 10ms from 10ms to 1h0m0s`,
				`6:19: batch_buffer="1kB": must be 3776B to 128KiB` + sizes,
				`7:20: socket_buffer="-1": must be 4KiB to 1GiB` + sizes,
			},
		},
		{
			name: "values that are no text",
			file: "groups:\n- group:\n  copy_range: [1]\n  queue_timeout: !!str 1s\n  batch_buffer: |\n    64KiB\n  socket_buffer: {}\n",
			want: []string{
				`2:9: "group": must be a number from 0 to 65535`,
				`3:15: "copy_range": must be 1B to 65531B` + sizes,
				`4:18: "queue_timeout": must be without the tag "!!str"`,
				`5:17: "batch_buffer": must be without line breaks`,
				`7:18: "socket_buffer": must be 4KiB to 1GiB` + sizes,
			},
		},
		{
			name: "items that are no groups",
			file: "groups:\n- 100\n- []\n- copy_range: 1B\n- {}\n",
			want: []string{
				"2:3: an item of groups: must be a mapping of " + settings,
				"3:3: an item of groups: must be a mapping of " + settings,
				"4:3: group: must be given",
				"5:3: group: must be given",
			},
		},
		{
			name: "unknown and duplicate settings",
			file: "groups:\n- group: 1\n  groups: 2\n  copy-range: 1B\n  group: 1\n",
			want: []string{
				`3:3: "groups": must be one of ` + settings,
				`4:3: "copy-range": must be one of ` + settings,
				`5:3: "group": must not be given more than once`,
			},
		},
		{
			name: "duplicate groups",
			file: "groups:\n- group: 5\n- group: 6\n- {copy_range: 1B, group: 05}\n- group: '5'\n",
			want: []string{
				`4:27: group="05": must not be given more than once`,
				`5:10: group="5": must not be given more than once`,
			},
		},
		{
			name: "no rules",
			file: "prefix_rules:\n- a\n- labels: {a: b}\n- preset: ufw\n- preset:\n- preset: k3s\n  match: a\n  prefix: b\n",
			want: []string{
				"2:3: an item of prefix_rules: must be a mapping of preset, match, labels, prefix",
				"3:3: match: must be given",
				`4:11: preset="ufw": must be one of k3s, shorewall`,
				`5:10: "preset": must be one of k3s, shorewall`,
				"7:3: match: must not be given together with preset",
				"8:3: prefix: must not be given together with preset",
			},
		},
		{
			name: "bad rules",
			file: `prefix_rules:
  - match: 'fw ('
    labels: {job: a, a-b: '${'}
    prefix: '$'
  - match: '(?P<le>x)'
    labels:
      prefix: a
      b: '${c}'
      b: d
      e: [f]
      [g]: h
    prefix: ''
  - match: ''
    labels: a
  - match: [a]
    labels: {quantile: b}
    prefix: {c: d}
  - labels: {instance: [x], le: y}
    prefix: '${q'
`,
			want: []string{
				`2:12: match="fw (": must be a regular expression in RE2's syntax: missing closing ): "fw ("`,
				`3:14: label "job": must not be one that Prometheus sets itself`,
				`3:22: label "a-b": must be a name of letters, digits and _, with no digit in front`,
				`3:22: label "a-b"="${": ` + templates + `, and $$ for $`,
				`4:13: prefix="$": ` + templates + `, and $$ for $`,
				`5:12: label "le": must not be one that Prometheus sets itself`,
				`7:7: label "prefix": must not be the label that the setting prefix of a rule rewrites`,
				`8:7: label "b"="${c}": must name groups of match, which has no group "c"`,
				`9:7: "b": must not be given more than once`,
				`10:10: "e": ` + templates,
				`11:7: labels: must have text for keys`,
				`12:13: prefix: must not be empty, leave it out to keep the prefix`,
				`13:12: match="": must not be empty`,
				`14:13: labels: must be a mapping of names to values`,
				`15:12: "match": must be a regular expression in RE2's syntax`,
				`16:14: label "quantile": must not be one that Prometheus sets itself`,
				`17:13: "prefix": ` + templates,
				`18:5: match: must be given`,
				`18:14: label "instance": must not be one that Prometheus sets itself`,
				`18:24: "instance": ` + templates,
				`18:29: label "le": must not be one that Prometheus sets itself`,
				`19:13: prefix="${q": ` + templates + `, and $$ for $`,
			},
		},
		{
			name: "aliases",
			file: "groups: &a\n- &b {group: &c 1}\n- *b\n- {group: *c}\n- {<<: *b}\nprefix_rules: *a\n",
			want: []string{
				"3:3: *b: must be written out, aliases are not supported",
				"4:11: *c: must be written out, aliases are not supported",
				`5:3: group: must be given`,
				`5:4: "<<": must be one of ` + settings,
				"6:15: *a: must be written out, aliases are not supported",
			},
		},
		{name: "alias to itself", file: "&a groups: &b [*b]\n", want: []string{"1:16: *b: must be written out, aliases are not supported"}},
		{name: "documents", file: "groups: []\n---\ngroups: []\n", want: []string{"2:1: must be a single YAML document"}},
		{name: "bad second document", file: "groups: []\n---\ngroups: [\n", want: []string{"4:1: must be valid YAML: did not find expected node content"}},
		{name: "tab", file: "groups:\n\t- group: 1\n", want: []string{"2:1: must be valid YAML: found character that cannot start any token"}},
		{name: "bad indentation", file: "groups:\n  - group: 1\n   copy_range: 1\n", want: []string{"3:4: must be valid YAML: did not find expected '-' indicator"}},
		{name: "unknown escape", file: `prefix_rules: [{match: "\w"}]`, want: []string{"1:25: must be valid YAML: found unknown escape character"}},
		{name: "unknown alias", file: "groups: *a\n", want: []string{"1:9: must be valid YAML: unknown anchor 'a' referenced"}},
		{name: "not UTF-8", file: "# größe\n# gr\xf6\xdfe\n", want: []string{"2:5: must be UTF-8: byte 0xf6"}},
		{name: "UTF-16", file: "\xff\xfe{\x00}\x00", want: []string{"1:1: must be UTF-8: byte 0xff"}},
		{name: "control character", file: "groups: []\n# a\x00", want: []string{"2:4: must be without control characters: U+0000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := parseConfigFile("nflog.yml", []byte(tt.file), testDefaults, tt.groupsGiven)
			if err == nil {
				t.Fatalf("taken for %+v", got)
			}
			var want []string
			for _, line := range tt.want {
				want = append(want, "nflog.yml:"+line)
			}
			if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("unexpected mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseConfigFileManyMistakes(t *testing.T) {
	_, _, err := parseConfigFile("nflog.yml", []byte("groups:\n"+strings.Repeat("- x\n", 150)), testDefaults, false)
	var bad Diagnostics
	if !errors.As(err, &bad) {
		t.Fatalf("error %v, want mistakes", err)
	}
	if len(bad) != maxMistakes+1 {
		t.Errorf("%d mistakes, want %d", len(bad), maxMistakes+1)
	}
	want := "nflog.yml:102:3: and 50 more mistakes from here on"
	if diff := cmp.Diff(want, bad[len(bad)-1].String()); diff != "" {
		t.Errorf("unexpected last mistake (-want +got):\n%s", diff)
	}
}

func TestParseConfigFileWarns(t *testing.T) {
	const file = "prefix_rules:\n- match: '(?P<pod>a)'\n  labels:\n    action: b\n    node: c\n"
	got, warnings, err := parseConfigFile("nflog.yml", []byte(file), testDefaults, false)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	want := []string{
		`nflog.yml:2:10: label "pod": is often set by scrape configurations, then Prometheus stores it as exported_pod`,
		`nflog.yml:5:5: label "node": is often set by scrape configurations, then Prometheus stores it as exported_node`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("unexpected warnings (-want +got):\n%s", diff)
	}
	if len(got.Rules) != 1 {
		t.Errorf("%d rules, want 1", len(got.Rules))
	}
}

func TestLoadConfigFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	comment := "#" + strings.Repeat("x", maxConfigFile-1)

	for _, data := range []string{"groups: [{group: 7}]", comment} {
		path := write("good.yml", data)
		if _, _, err := loadConfigFile(path, testDefaults, false); err != nil {
			t.Errorf("load %d bytes: %v", len(data), err)
		}
	}

	tests := []struct {
		name string
		path string
		want string
		is   error
	}{
		{
			name: "missing", path: filepath.Join(dir, "missing.yml"), is: os.ErrNotExist,
			want: "open " + filepath.Join(dir, "missing.yml") + ": no such file or directory",
		},
		{name: "directory", path: dir, want: "read " + dir + ": is a directory"},
		{
			name: "too large", path: write("large.yml", comment+"x"),
			want: filepath.Join(dir, "large.yml") + ": must not be larger than 256KiB",
		},
		{
			name: "mistakes", path: write("bad.yml", "a: 1\ngroups: 1\n"),
			want: filepath.Join(dir, "bad.yml") + ":1:1: \"a\": must be one of groups, prefix_rules\n" +
				filepath.Join(dir, "bad.yml") + ":2:9: groups: must be a list",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := loadConfigFile(tt.path, testDefaults, false)
			if err == nil {
				t.Fatal("loaded")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("unexpected error (-want +got):\n%s", diff)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error is not %v", tt.is)
			}
		})
	}
}

// TestGroupSettingsAreFlags checks that each setting has a flag which takes the same values.
func TestGroupSettingsAreFlags(t *testing.T) {
	app, _ := newApp()
	flags := make(map[string]string) // by name, what they allow
	for _, f := range app.Model().Flags {
		name, ok := strings.CutPrefix(f.Name, "nflog.")
		if !ok {
			continue
		}
		switch v := f.Value.(type) {
		case *value[uint32]:
			flags[name] = v.domain.allowed
		case *value[int]:
			flags[name] = v.domain.allowed
		case *value[time.Duration]:
			flags[name] = v.domain.allowed
		case *distinctValues[uint16]:
			flags[name] = v.domain.allowed
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
