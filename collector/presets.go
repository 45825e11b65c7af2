// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "slices"

// The presets are rules for prefixes that programs write by themselves.
var presets = []struct {
	name  string
	rules []PrefixRule
}{
	// The network policies of k3s, to group 100: DROP by policy NAMESPACE/POLICY.
	//
	// The rule stands at the end of the chain of each policy and says that this policy did not let the
	// packet pass, nor one that was asked before. Another can still do so: it is no count of what was
	// dropped. Releases before February 2024 even log what a later rule of the same policy lets pass. It
	// logs 10 packets a minute for each policy and family, unless annotations of the policy say otherwise.
	// A packet that is rejected in the end is logged once more, without a prefix, again up to 10 a minute
	// for each pod.
	//
	// Names that have more than 47 bytes together are cut: the policy if the namespace has less than 24,
	// else the namespace if the policy has, else both to 23. Names that begin alike then share a label.
	{"k3s", []PrefixRule{{
		Match: `DROP by policy (?P<policy_namespace>[a-z0-9-]+)/(?P<policy>[a-z0-9.-]+)`,
	}}},

	// Shorewall, with one of its two usual settings of LOGFORMAT and NFLOG as log level:
	// Shorewall:CHAIN:DISPOSITION:, its default where none is set, or "CHAIN DISPOSITION ", as the
	// configuration that comes with it has it since 5.1. A tag can follow.
	//
	// The chain is most often the zones of source and destination, net-fw or net2fw, or what made the rule,
	// as logflags or Limit; the table where the setting LOGALLNEW made it, and then the disposition is the
	// chain. The disposition says what the rule after this one does: the packet was dropped only if it says
	// so, and LOG, COUNT or CONTINUE decide nothing. As configured at first, Shorewall logs one packet a
	// second for each source address (LOGLIMIT).
	//
	// Shorewall cuts prefixes of more than 29 bytes to 28: the tag, then the disposition, are not whole.
	// The shorter form is hardly one of its own, so that the disposition has to be in capitals. Rules for
	// others that look like it must stand before the preset.
	{"shorewall", []PrefixRule{
		{Match: `Shorewall:(?P<chain>[^:\s]+)(:(?P<disposition>[^:\s]*)(:\S*)?)?`},
		{Match: `(?P<chain>[^:\s]+) (?P<disposition>[A-Z][A-Z_]*(\([^()\s]+\))?)( \S+)?`},
	}},
}

// PrefixRulePresets returns the names of all presets.
func PrefixRulePresets() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// PrefixRulePreset returns the rules of a preset, none for a name that is not that of one.
func PrefixRulePreset(name string) []PrefixRule {
	for _, p := range presets {
		if p.name == name {
			return slices.Clone(p.rules)
		}
	}
	return nil
}
