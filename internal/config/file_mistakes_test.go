// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
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
		{name: "no mapping", file: "groups\n", want: []string{"1:1: the file: must be a mapping of groups, prefix_rules, networks"}},
		{name: "list", file: "\n- groups: []\n", want: []string{"2:1: the file: must be a mapping of groups, prefix_rules, networks"}},
		{name: "unknown key", file: "groups: []\ngroup: 5\n", want: []string{`2:1: "group": must be one of groups, prefix_rules, networks: did you mean groups?`}},
		{name: "duplicate key", file: "groups: []\ngroups: []\n", want: []string{`2:1: "groups": must not be given more than once`}},
		{name: "key that is no text", file: "? [groups]\n: 1\n", want: []string{"1:3: the file: must have text for keys"}},
		{
			name: "no lists", file: "groups: 100\nprefix_rules: {match: a}\n",
			want: []string{"1:9: groups: must be a list", `2:15: prefix_rules: must be a list: begin each item of a list with "- "`},
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
				`3:3: "groups": must be one of ` + settings + `: did you mean group?`,
				`4:3: "copy-range": must be one of ` + settings + `: did you mean copy_range?`,
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
				`4:11: preset="ufw": must be one of k3s, shorewall, proxmox, foomuuri`,
				`5:10: "preset": must be one of k3s, shorewall, proxmox, foomuuri`,
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
				`10:10: "e": ` + templates + `: put a value that begins with [ into quotes`,
				`11:7: labels: must have text for keys`,
				`12:13: prefix: must not be empty, leave it out to keep the prefix`,
				`13:12: match="": must not be empty`,
				`14:13: labels: must be a mapping of names to values`,
				`15:12: "match": must be a regular expression in RE2's syntax: put a value that begins with [ into quotes`,
				`16:14: label "quantile": must not be one that Prometheus sets itself`,
				`17:13: "prefix": ` + templates + `: put a value that begins with { into quotes`,
				`18:5: match: must be given`,
				`18:14: label "instance": must not be one that Prometheus sets itself`,
				`18:24: "instance": ` + templates + `: put a value that begins with [ into quotes`,
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
		{name: "not UTF-8", file: "# größe\n# gr\xf6\xdfe\n", want: []string{"2:5: must be UTF-8: byte 0xf6"}},
		{name: "UTF-16", file: "\xff\xfe{\x00}\x00", want: []string{"1:1: must be UTF-8: byte 0xff"}},
		{name: "control character", file: "groups: []\n# a\x00", want: []string{"2:4: must not have control characters: U+0000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := parseFile("nflog.yml", []byte(tt.file), testDefaults, tt.groupsGiven, noLists)
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

// TestParseFileSyntax has files that are no YAML, or not the YAML that was meant.
func TestParseFileSyntax(t *testing.T) {
	const (
		groupItem = "an item of groups: must be a mapping of group, copy_range, queue_threshold, queue_timeout, batch_buffer, socket_buffer"
		ruleItem  = "an item of prefix_rules: must be a mapping of preset, match, labels, prefix"
		invalid   = "must be valid YAML: "
		tab       = ": indent with spaces, not with tabs"
		column    = ": what belongs together must begin in the same column"
		dash      = `: begin each item of a list with "- "`
		blank     = ": write a blank after the colon, "
		single    = `: write expressions in single quotes, where \ stands for itself`
	)
	quote := func(first string) string { return fmt.Sprintf(": put a value that begins with %s into quotes", first) }
	tests := []struct{ name, file, want string }{
		{"tab", "groups:\n\t- group: 1\n", "2:1: " + invalid + "found character that cannot start any token" + tab},
		{"tab before a key", "groups:\n  - group: 1\n\t copy_range: 1\n", "3:1: " + invalid + "found a tab character that violates indentation" + tab},
		{"tab after spaces", "groups:\n  - group: 1\n  \t- group: 2\n", "3:3: " + invalid + "found a tab character that violates indentation" + tab},

		{"item without blank", "groups:\n- group:5\n", "2:3: " + groupItem + blank + `"group: 5"`},
		{"item with equals sign", "prefix_rules:\n- preset=k3s\n", "2:3: " + ruleItem + blank + `"preset: k3s"`},
		{"item in quotes", "groups:\n- 'group:5'\n", "2:3: " + groupItem},
		{"first key without blank", "groups:\r\n- group:5\r\n  copy_range: 64B\r\n", "3:13: " + invalid + "mapping values are not allowed in this context" + blank + `"group: 5", in line 2`},
		{"last key without blank", "groups:\n- group: 5\n  copy_range:64B\n", "4:1: " + invalid + "could not find expected ':'" + blank + `"copy_range: 64B", in line 3`},
		{"file without blank", "groups:[]\n", "1:1: the file: must be a mapping of groups, prefix_rules, networks" + blank + `"groups: []"`},
		{"value with bracket without blank", "prefix_rules:\n- match: a\n  labels:{a: b}\n", `3:3: "labels:{a": must be a key` + blank + `"labels: {a"`},
		{"label without blank", "prefix_rules:\n- match: a\n  labels: {a:'b'}\n", `3:12: "a:'b'": must be a key` + blank + `"a: 'b'"`},
		{"dash without blank", "groups:\n  -group: 5\n", "2:3: groups: must be a list" + dash},
		{"no dash", "groups:\n  group: 5\n", "2:3: groups: must be a list" + dash},

		{"bad indentation of items", "groups:\n  - group: 1\n   copy_range: 1\n", "3:4: " + invalid + "did not find expected '-' indicator" + column},
		{"key before its column", "groups:\n- group: 5\n copy_range: 64B\n", "3:2: " + invalid + "did not find expected key" + column},
		{"key after its column", "groups:\n- group: 5\n    copy_range: 64B\n", "3:15: " + invalid + "mapping values are not allowed in this context" + column},

		{"unknown escape", `prefix_rules: [{match: "\w"}]`, "1:25: " + invalid + "found unknown escape character" + single},
		{"single quote", "prefix_rules:\n- match: 'it's'\n", "2:14: " + invalid + "did not find expected key: text follows a closing quote, write '' for a single quote between single quotes"},
		{"double quote", "prefix_rules:\n- match: \"a\"b\"\n", "2:13: " + invalid + `did not find expected key: text follows a closing quote, write \" for a double quote between double quotes`},
		{"open quote", "prefix_rules:\n- match: 'a\n- match: b\n", "4:1: " + invalid + "found unexpected end of stream: a quote is not closed"},
		{"colon in a value", "prefix_rules:\n- match: fw: drop\n", "2:12: " + invalid + `mapping values are not allowed in this context: put a value that has ": " into quotes`},
		{"bracket", "prefix_rules:\n- match: [a-z]+ drop\n", "2:15: " + invalid + "did not find expected key" + quote("[")},
		{"brace", "prefix_rules:\n- match: {a}\n", `2:10: "match": must be a regular expression in RE2's syntax` + quote("{")},
		{"star", "prefix_rules:\n- match: *abc\n", "2:10: " + invalid + "unknown anchor 'abc' referenced" + quote("*")},
		{"percent sign", "prefix_rules: [{match: %a}]\n", "1:24: " + invalid + "found character that cannot start any token" + quote("%")},
		{"bar", "prefix_rules:\n- match: |a\n", "2:11: " + invalid + "did not find expected comment or line break" + quote("|")},
		{"exclamation mark", "prefix_rules:\n- match: !a\n", `2:10: "match": must not have the tag "!a"` + quote("!")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := parseFile("nflog.yml", []byte(tt.file), testDefaults, false, noLists)
			if err == nil {
				t.Fatalf("taken for %+v", got)
			}
			if diff := cmp.Diff("nflog.yml:"+tt.want, err.Error()); diff != "" {
				t.Errorf("unexpected mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFileManyMistakes(t *testing.T) {
	_, _, err := parseFile("nflog.yml", []byte("groups:\n"+strings.Repeat("- x\n", 150)), testDefaults, false, noLists)
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
