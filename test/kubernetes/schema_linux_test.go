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
		{"nflog: {copyRange: 65532B}", "nflog: the copy range 65532B must be 1B to 65531B"},
		{"nflog: {batchBuffer: 3775B}", "nflog: the batch buffer 3775B must be 3776B to 131072B"},
		{"nflog: {socketBuffer: 2GiB}", "nflog: the socket buffer 2GiB must be"},
		{"nflog: {socketBuffer: 99999999999999999999999GiB}", "nflog: the socket buffer"},
		{"nflog: {queueTimeout: 15ms}", "nflog: the queue timeout 15ms must be a multiple of 10ms"},
		{"nflog: {queueTimeout: 1h10ms}", "the queue timeout 1h10ms must be"},
		{"config: {groups: [{group: 7, queue_timeout: 5ms}]}", "config.groups, group 7: the queue timeout 5ms"},
		{"config: {groups: [{group: 7}, {group: 7}]}", "config.groups: group 7 is there twice"},
		{"config: {prefix_rules: [{match: '('}]}", "missing closing )"},
		{"config: {prefix_rules: [{match: ''}]}", "prefix_rules"},
		{"config: {prefix_rules: [{match: '(?P<hook>a)'}]}", "the label hook must not be one that"},
		{"config: {prefix_rules: [{match: 'a', labels: {job: b}}]}", "the label job must not be one that"},
		{"config: {prefix_rules: [{match: 'a', labels: {a-b: c}}]}", "prefix_rules"},
		{"config: {prefix_rules: [{preset: k3s}]}\nexistingConfigMap: mine", "config and existingConfigMap: give one of them"},
		{"configReloadInterval: 500ms", "configReloadInterval: 500ms must be 0s for never, or from 1s to 10000h"},
		{"collector: {idleTimeout: 999ms}", "collector.idleTimeout: 999ms must be"},
		{"collector: {deletedInterfaceTimeout: 10001h}", "collector.deletedInterfaceTimeout: 10001h must be"},
		{"collector: {packetSizeBuckets: [100, 64]}", "collector.packetSizeBuckets: must ascend, but 64 comes after 100"},
		{"collector: {interfacePatterns: ['veth(=a']}", "missing closing )"},
		{"collector: {interfacePatterns: ['veth.*=']}", "interfacePatterns"},
		{"web: {telemetryPath: metrics}", "telemetryPath"},
		{"web: {telemetryPath: '/a b'}", "telemetryPath"},
		{"web: {telemetryPath: /a/../b}", "web.telemetryPath: /a/../b must be"},
		{"web: {telemetryPath: /-/metrics}", "web.telemetryPath: /-/metrics must be"},
		{"web: {config: {secrets: [web], file: a/b.yml}}", "/web/config/file"},
		{"extraArgs: [--log.level=debug]", "extraArgs: the chart sets --log.level already"},
		{"extraArgs: [--web.systemd-socket, --web.systemd-socket]", "--web.systemd-socket already, or it is there twice"},
		{"extraEnv: [{name: A}, {name: A}]", "extraEnv: the variable A is there twice"},
		{"web: {address: $(NODE_IP)}\nextraEnv: [{name: NODE_IP, value: x}]", "extraEnv: the variable NODE_IP is there twice"},
		{"config: {groups: [{group: 7}]}\nextraVolumes: [{name: config, emptyDir: {}}]", "extraVolumes: the volume config is there twice"},
		{"web: {config: {secrets: [a]}}\nextraVolumes: [{name: web, emptyDir: {}}]", "extraVolumes: the volume web is there twice"},
		{"existingConfigMap: a\nextraVolumeMounts: [{name: x, mountPath: /etc/nflog_exporter/config}]", "extraVolumeMounts: the path /etc/nflog_exporter/config is there twice"},
		{"extraContainers: [{name: nflog-exporter}]", "the container nflog-exporter is there twice"},
		{"config: {groups: [{group: 7}]}\nconfigReloadInterval: ''\npodAnnotations: {checksum/config: a}", "the chart sets checksum/config itself"},
		{"prometheusRule: {enabled: true, disabled: [NflogNewPrefx]}", "prometheusRule.disabled: there is no alert NflogNewPrefx: must be one of Nflog"},
		{"podMonitor: {sampleLimit: 0}", "sampleLimit"},
		{"podMonitor: {attachMetadata: {pod: true}}", "'pod' not allowed"},
		{"global: {imageRegistry: example.com/}", "imageRegistry"},
		{"test: {hookDeletePolicy: never}", "hookDeletePolicy"},
		{"updateStrategy: {type: Recreate}", "/updateStrategy/type"},
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
		// Helm passes the values of global to all charts of a release, so they can be another chart's.
		if place == "" || place == "global" || seen[place] {
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
