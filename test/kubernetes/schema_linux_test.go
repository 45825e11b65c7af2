// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kubernetes/chartvalues"
)

// TestRefused checks that helm refuses values that can't work, and gives the reason.
func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		values string
		want   string // part of the message
	}{
		{"nflog: {group: [100]}", "'group' not allowed"},
		{"nflog: {groups: [65536]}", "/nflog/groups/0"},
		{"nflog: {groups: [1, 1]}", "/nflog/groups"},
		{"nflog: {copyRange: 128}", "copyRange"},
		{"nflog: {copyRange: 128 B}", "copyRange"},
		{"nflog: {queueThreshold: 0}", "queueThreshold"},
		{"nflog: {queueTimeout: 500}", "queueTimeout"},
		{"nflog: {socketBuffer: 16MB}", "socketBuffer"},
		{"nflog: {groups: [1]}\nconfig: {groups: [{group: 2}]}", "nflog.groups and config.groups: give one of them"},
		{"collector: {labels: [port]}", "labels"},
		{"collector: {labels: [hook]}", "collector.histogramLabels: collector.labels has no prefix"},
		{"collector: {interfacePatterns: [veth]}", "interfacePatterns"},
		{"collector: {protocols: [0x88cc]}", "protocols"},
		{"collector: {protocols: 'tcp,udp'}", "protocols"},
		{"collector: {protocols: [TCP]}", "protocols"},
		{"collector: {markMask: 255}", "markMask"},
		{"collector: {packetSize: off please}", "packetSize"},
		{"config: {prefix_rules: [{preset: k8s}]}", "preset"},
		{"config: {prefix_rules: [{preset: k3s, match: x}]}", "prefix_rules"},
		{"config: {prefix_rules: [{labels: {a: b}}]}", "prefix_rules"},
		{"config: {networks: [{preset: x}]}", "preset"},
		{"config: {networks: [{name: a}]}", "networks"},
		{"config: {networks: [{name: a, cidrs: [10.0.0.0/8], by: name}]}", "by"},
		{"config: {prefixRules: []}", "'prefixRules' not allowed"},
		{"config: {groups: [{group: 1, socket_buffer: 16777216}]}", "socket_buffer"},
		{"image: {digest: latest}", "digest"},
		{"image: {repository: ''}", "repository"},
		{"web: {port: 80}", "/web/port"},
		{"web: {address: ':10100'}", "address"},
		{"web: {address: example.com}", "address"},
		{"web: {config: {tls: true}}", "web.config.secrets"},
		{"web: {config: {authentication: true}}", "web.config.secrets"},
		{"log: {level: trace}", "level"},
		{"extraArgs: [nflog.netns=x]", "extraArgs"},
		{"updateStrategy: {maxUnavailable: 0}", "maxUnavailable"},
		{"updateStrategy: {maxSurge: 1}", "'maxSurge' not allowed"},
		{"terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds"},
		{"livenessProbe: {httpGet: {}}", "'httpGet' not allowed"},
		{"podMonitor: {enabled: yes please}", "enabled"},
		{"serviceMonitor: {enabled: true}", "'serviceMonitor' not allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.values, func(t *testing.T) {
			t.Parallel()
			out, err := template(t, tt.values)
			if err == nil {
				t.Fatalf("unexpected success:\n%s", out)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the message has no %q: %v", tt.want, err)
			}
		})
	}
}

// TestUnknownValues checks that helm refuses unknown values in each mapping of the chart's values. Mappings with names of the
// user's choice are no places of chartvalues, and accept all.
func TestUnknownValues(t *testing.T) {
	t.Parallel()
	values, err := chartvalues.Read(chart + "/values.yaml")
	must(t, err)
	seen := make(map[string]bool)
	for _, v := range values {
		place := v.Path[:max(0, strings.LastIndex(v.Path, "."))]
		if place == "" || seen[place] {
			continue
		}
		seen[place] = true
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			if out, err := template(t, "", "--set="+place+".unknown=1"); err == nil || !strings.Contains(err.Error(), "'unknown' not allowed") {
				t.Errorf("unexpected result of an unknown value: %v\n%s", err, out)
			}
		})
	}
}

// TestGlobal checks that the chart works as a dependency of another: Helm then adds the value global.
func TestGlobal(t *testing.T) {
	t.Parallel()
	render(t, "global: {registry: example.com}")
}
