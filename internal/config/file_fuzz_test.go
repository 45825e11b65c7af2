// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// FuzzConfigFile checks that a file has either mistakes or a configuration that can be used, and that diagnostics are lines
// about places in the file.
func FuzzConfigFile(f *testing.F) {
	for _, file := range []string{
		"",
		"groups:\n  - group: 100\n    copy_range: 128B\n    queue_threshold: 65535\n    queue_timeout: 500ms\n    batch_buffer: 64KiB\n    socket_buffer: 16MiB\n",
		"prefix_rules:\n  - preset: k3s\n  - match: 'fw (?P<zone>\\w+) (?P<verdict>drop|reject)'\n    labels: {action: '${verdict}'}\n    prefix: 'fw ${zone}'\n",
		"prefix_rules: [{match: '(?P<pod>a', labels: {job: '$', '': ''}, prefix: {}}, {preset: x, match: y}, 5]\n",
		"groups: &a [*a, {<<: *a}, {group: *a}]\n? [b]\n: !!int c\n",
		"a: |\n  b\n---\n%YAML 1.1\n---\n\tc: \"\\x00\"\n",
		"\xff\xfe{\x00}\x00",
		"groups:\n- group:5\n\tcopy_range: 1\n",
		"prefix_rules:\n- match: @a\n  labels: {a:b}\n",
		"\ufeff# ü\r\ngroups: ~\r\n",
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, warnings, err := parseFile("f", data, testDefaults, false, noLists)
		diagnostics := warnings
		if err != nil {
			if diff := cmp.Diff(file{}, got); diff != "" {
				t.Errorf("a configuration beside an error (-want +got):\n%s", diff)
			}
			bad, ok := errors.AsType[Diagnostics](err)
			if !ok || len(bad) == 0 {
				t.Fatalf("no mistakes: %v", err)
			}
			diagnostics = append(diagnostics, bad...)
		}

		// The end of the file is on a line of its own. YAML ends other lines by CR, LF, NEL, LS or PS.
		lines := 2
		for _, end := range []string{"\r", "\n", "\u0085", "\u2028", "\u2029"} {
			lines += bytes.Count(data, []byte(end))
		}
		for _, d := range diagnostics {
			if d.Line < 1 || d.Line > lines || d.Column < 1 || d.Column > len(data)+1 {
				t.Errorf("%s: not in the file", d)
			}
			if strings.ContainsAny(d.Text, "\r\n") || !utf8.ValidString(d.Text) {
				t.Errorf("not a line of text: %q", d.Text)
			}
		}

		seen := make(map[uint16]bool)
		for _, g := range got.Groups {
			if seen[g.Group] {
				t.Errorf("group %d twice", g.Group)
			}
			seen[g.Group] = true
		}
		for _, rule := range got.Rules {
			if bad, _ := rule.Check(collector.ReservedLabels()); len(bad) > 0 {
				t.Errorf("rule %+v has mistakes: %v", rule, bad)
			}
		}
	})
}
