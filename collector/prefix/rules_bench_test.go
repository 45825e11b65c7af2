// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import "testing"

func BenchmarkRules(b *testing.B) {
	var rules []Rule
	for _, name := range Presets() {
		rules = append(rules, Preset(name)...)
	}
	const prefix = "net-fw REJECT averylongtagna "

	b.Run("known", func(b *testing.B) {
		r := mustRules(b, rules...)
		b.ReportAllocs()
		for b.Loop() {
			r.Apply(prefix)
		}
	})
	b.Run("unknown", func(b *testing.B) {
		r := mustRules(b, rules...)
		b.ReportAllocs()
		for b.Loop() {
			r.evaluate(prefix)
		}
	})
}
