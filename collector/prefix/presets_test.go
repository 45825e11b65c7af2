// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPresets(t *testing.T) {
	policy := func(namespace, policy string) map[string]string {
		return map[string]string{"policy_namespace": namespace, "policy": policy}
	}
	chain := func(chain, disposition string) map[string]string {
		return map[string]string{"chain": chain, "disposition": disposition}
	}
	guest := func(vmid, chain, disposition string) map[string]string {
		return map[string]string{"vmid": vmid, "chain": chain, "disposition": disposition}
	}
	zones := func(source, destination, disposition string) map[string]string {
		return map[string]string{"source_zone": source, "destination_zone": destination, "disposition": disposition}
	}
	const long = "a-namespace-of-twenty-four-and-more"

	tests := []struct {
		preset string
		raw    string
		want   map[string]string
	}{
		{"k3s", "DROP by policy default/test-network-policy", policy("default", "test-network-policy")},
		{"k3s", "DROP by policy kube-system/allow-dns.v1", policy("kube-system", "allow-dns.v1")},
		// The policy, the namespace or both are cut.
		{"k3s", "DROP by policy default/an-unusually-long-name-of-a-policy-that-", policy("default", "an-unusually-long-name-of-a-policy-that-")},
		{"k3s", "DROP by policy " + long[:35] + "/deny-egress1", policy(long, "deny-egress1")},
		{"k3s", "DROP by policy " + long[:23] + "/the-name-of-a-policy.is", policy("a-namespace-of-twenty-f", "the-name-of-a-policy.is")},
		// Rejected in the end, and prefixes of other programs.
		{"k3s", "", policy("", "")},
		{"k3s", "DROP by policy default", policy("", "")},
		{"k3s", "DROP by policy default/a/b", policy("", "")},
		{"k3s", "net-fw DROP ", policy("", "")},

		// The compiler of Shorewall 5.2.8 makes these prefixes of its samples, with NFLOG as log level,
		{"shorewall", "net-fw DROP ", chain("net-fw", "DROP")},
		{"shorewall", "FORWARD REJECT ", chain("FORWARD", "REJECT")},
		{"shorewall", "net_dnat DNAT ", chain("net_dnat", "DNAT")},
		{"shorewall", "loc_dnat REDIRECT ", chain("loc_dnat", "REDIRECT")},
		{"shorewall", "logflags DROP ", chain("logflags", "DROP")},
		{"shorewall", "smurfs DROP ", chain("smurfs", "DROP")},
		{"shorewall", "net-loc A_DROP ", chain("net-loc", "A_DROP")},
		{"shorewall", "net-loc MARK(1) ", chain("net-loc", "MARK(1)")},
		{"shorewall", "rejNotSyn REJECT(tcp-reset) ", chain("rejNotSyn", "REJECT(tcp-reset)")},
		{"shorewall", "nat PREROUTING ", chain("nat", "PREROUTING")},
		{"shorewall", "net-fw LOG mytag ", chain("net-fw", "LOG")},
		{"shorewall", "Limit DROP SSHA ", chain("Limit", "DROP")},
		{"shorewall", "net-fw REJECT averylongtagna ", chain("net-fw", "REJECT")},
		{"shorewall", "internet00-perimeter0 CONTIN ", chain("internet00-perimeter0", "CONTIN")},
		{"shorewall", "_net-fw ", chain("", "")},
		// and these with the other LOGFORMAT.
		{"shorewall", "Shorewall:net-fw:DROP:", chain("net-fw", "DROP")},
		{"shorewall", "Shorewall:net2fw:ACCEPT:", chain("net2fw", "ACCEPT")},
		{"shorewall", "Shorewall:nat:PREROUTING:", chain("nat", "PREROUTING")},
		{"shorewall", "Shorewall:_net-fw::", chain("_net-fw", "")},
		{"shorewall", "Shorewall:net-fw:LOG:mytag ", chain("net-fw", "LOG")},
		{"shorewall", "Shorewall:net-fw:REJECT:alon ", chain("net-fw", "REJECT")},
		{"shorewall", "Shorewall:inter-perim:CONTIN ", chain("inter-perim", "CONTIN")},
		{"shorewall", "Shorewall:averylongnameofano ", chain("averylongnameofano", "")},
		// Prefixes of other programs.
		{"shorewall", "", chain("", "")},
		{"shorewall", "DROP by policy default/allow", chain("", "")},
		{"shorewall", "nf_ct_proto_6: BAD packet", chain("", "")},
		{"shorewall", "fw wan drop", chain("", "")},
		{"shorewall", "SSH brute force", chain("", "")},
		{"shorewall", "IPv4 FORWARD packet died", chain("", "")},

		// What get_log_rule_base of pve-firewall makes of its chains and messages.
		{"proxmox", ":0:6:PVEFW-HOST-IN: policy DROP: ", guest("0", "PVEFW-HOST-IN", "DROP")},
		{"proxmox", ":100:6:tap100i0-IN: DROP: ", guest("100", "tap100i0-IN", "DROP")},
		{"proxmox", ":101:4:veth101i0-OUT: policy REJECT: ", guest("101", "veth101i0-OUT", "REJECT")},
		{"proxmox", ":0:7:PVEFW-smurflog: DROP: ", guest("0", "PVEFW-smurflog", "DROP")},
		{"proxmox", ":0:7:GROUP-web-IN: ACCEPT: ", guest("0", "GROUP-web-IN", "ACCEPT")},
		{"proxmox", "DROP: ", guest("", "", "")},
		{"proxmox", ":0:6:PVEFW-HOST-IN: ", guest("", "", "")},

		// As foomuuri's documentation of the statement log has them.
		{"foomuuri", "localhost-public REJECT", zones("localhost", "public", "REJECT")},
		{"foomuuri", "public-localhost DROP", zones("public", "localhost", "DROP")},
		{"foomuuri", "public-localhost DROP:telnet", zones("public", "localhost", "DROP")},
		{"foomuuri", "public-localhost DROP ftp-is-disabled", zones("public", "localhost", "DROP")},
		{"foomuuri", "incoming-http dropped", zones("", "", "")},
		{"foomuuri", "fw wan drop", zones("", "", "")},
	}
	for _, tt := range tests {
		t.Run(tt.preset+" "+tt.raw, func(t *testing.T) {
			if len(tt.raw) > 63 {
				t.Fatalf("the prefix has %d bytes, more than iptables allows", len(tt.raw))
			}
			r := mustRules(t, Preset(tt.preset)...)
			want := labelled{Prefix: strings.TrimRight(tt.raw, " "), Labels: tt.want}
			if diff := cmp.Diff(want, applyRules(r, tt.raw)); diff != "" {
				t.Errorf("unexpected labels (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPresetNames(t *testing.T) {
	names := Presets()
	if diff := cmp.Diff([]string{"k3s", "shorewall", "proxmox", "foomuuri"}, names); diff != "" {
		t.Errorf("unexpected presets (-want +got):\n%s", diff)
	}
	for _, name := range names {
		for _, rule := range Preset(name) {
			if mistakes, warnings := rule.Check(nil); len(mistakes)+len(warnings) > 0 {
				t.Errorf("preset %s: mistakes %v, warnings %v", name, mistakes, warnings)
			}
		}
	}
	if rules := Preset("none"); rules != nil {
		t.Errorf("rules of an unknown preset: %v", rules)
	}
}
