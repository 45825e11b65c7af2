// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import "slices"

// presets are rules for the prefixes that other programs write.
var presets = []struct {
	name  string
	rules []Rule
}{
	// The network policies of k3s, to group 100: DROP by policy NAMESPACE/POLICY.
	//
	// The rule is at the end of each policy's chain. It means that this policy and the ones before did not accept
	// the packet. A later policy can still accept it, so the count is not one of dropped packets. Releases before
	// February 2024 also log packets that a later rule of the same policy accepts. The rule logs 10 packets a minute
	// for each policy and family, unless the policy's annotations change that. A packet that is rejected in the end is
	// logged again without a prefix, at most 10 a minute for each pod.
	//
	// Names of more than 47 bytes together are cut: the policy if the namespace has less than 24 bytes, else the
	// namespace if the policy has less than 24, else both to 23. Names with the same beginning then share a label.
	{"k3s", []Rule{{
		Match: `DROP by policy (?P<policy_namespace>[a-z0-9-]+)/(?P<policy>[a-z0-9.-]+)`,
	}}},

	// Shorewall with NFLOG as log level and one of the two usual values of LOGFORMAT: Shorewall:CHAIN:DISPOSITION:,
	// the built-in default, or "CHAIN DISPOSITION ", the value in the configuration that ships since 5.1. A tag can
	// follow.
	//
	// The chain names the zones of source and destination (net-fw or net2fw), or what made the rule (logflags,
	// Limit). For rules of the setting LOGALLNEW it is the table, and the disposition is the chain. The disposition is
	// the verdict of the next rule: LOG, COUNT and CONTINUE are none. By default, Shorewall logs one packet a
	// second for each source address (LOGLIMIT).
	//
	// Shorewall cuts prefixes of more than 29 bytes to 28: first the tag is cut, then the disposition. The shorter form
	// is not specific to Shorewall, so the disposition has to be in capitals. Rules for other prefixes of that form
	// must come before the preset.
	{"shorewall", []Rule{
		{Match: `Shorewall:(?P<chain>[^:\s]+)(:(?P<disposition>[^:\s]*)(:\S*)?)?`},
		{Match: `(?P<chain>[^:\s]+) (?P<disposition>[A-Z][A-Z_]*(\([^()\s]+\))?)( \S+)?`},
	}},

	// Proxmox VE, to group 0, with the prefix that its firewall has for its own logger: ":VMID:LEVEL:CHAIN: MESSAGE". The VMID is 0
	// for rules of the host. The message is the action of the rule, "DROP: ", or "policy DROP: " where no rule decided. Names
	// of chains have no colon.
	{"proxmox", []Rule{{
		Match: `:(?P<vmid>\d+):\d:(?P<chain>[^:]+): (policy )?(?P<disposition>[A-Z]+):?`,
	}}},

	// Foomuuri with log_level "group 100": "SOURCE-DESTINATION STATEMENT", which the author of a rule can add text to, with or
	// without a space. Names of zones have no hyphen. The statement is in capitals, as in Shorewall, and other programs write
	// such prefixes, too.
	{"foomuuri", []Rule{{
		Match: `(?P<source_zone>[^\s-]+)-(?P<destination_zone>[^\s-]+) (?P<disposition>[A-Z]+)([^A-Z].*)?`,
	}}},
}

// Presets returns the names of all presets.
func Presets() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// Preset returns the rules of a preset, or nil if there is none with that name.
func Preset(name string) []Rule {
	for _, p := range presets {
		if p.name == name {
			return slices.Clone(p.rules)
		}
	}
	return nil
}

// PresetOf returns the name of the preset that has a rule, or "" if none has.
func PresetOf(r Rule) string {
	for _, p := range presets {
		if slices.ContainsFunc(p.rules, func(other Rule) bool { return other.Match == r.Match }) {
			return p.name
		}
	}
	return ""
}
