// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFileRefuses(t *testing.T) {
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
				`4:18: "queue_timeout": must not have the tag "!!str"`,
				`5:17: "batch_buffer": must not have line breaks`,
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
				"3:3: *b: must not be an alias, write the value out",
				"4:11: *c: must not be an alias, write the value out",
				`5:3: group: must be given`,
				`5:4: "<<": must be one of ` + settings,
				"6:15: *a: must not be an alias, write the value out",
			},
		},
		{name: "alias to itself", file: "&a groups: &b [*b]\n", want: []string{"1:16: *b: must not be an alias, write the value out"}},
		{name: "documents", file: "groups: []\n---\ngroups: []\n", want: []string{"2:1: must be a single YAML document"}},
		{name: "bad second document", file: "groups: []\n---\ngroups: [\n", want: []string{"4:1: must be valid YAML: did not find expected node content"}},
		{name: "tab", file: "groups:\n\t- group: 1\n", want: []string{"2:1: must be valid YAML: found character that cannot start any token"}},
		{name: "bad indentation", file: "groups:\n  - group: 1\n   copy_range: 1\n", want: []string{"3:4: must be valid YAML: did not find expected '-' indicator"}},
		{name: "unknown escape", file: `prefix_rules: [{match: "\w"}]`, want: []string{"1:25: must be valid YAML: found unknown escape character"}},
		{name: "unknown alias", file: "groups: *a\n", want: []string{"1:9: must be valid YAML: unknown anchor 'a' referenced"}},
		{name: "not UTF-8", file: "# größe\n# gr\xf6\xdfe\n", want: []string{"2:5: must be UTF-8: byte 0xf6"}},
		{name: "UTF-16", file: "\xff\xfe{\x00}\x00", want: []string{"1:1: must be UTF-8: byte 0xff"}},
		{name: "control character", file: "groups: []\n# a\x00", want: []string{"2:4: must not have control characters: U+0000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := parseFile("nflog.yml", []byte(tt.file), testDefaults, tt.groupsGiven)
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

func TestParseFileManyMistakes(t *testing.T) {
	_, _, err := parseFile("nflog.yml", []byte("groups:\n"+strings.Repeat("- x\n", 150)), testDefaults, false)
	bad, ok := errors.AsType[Diagnostics](err)
	if !ok {
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
