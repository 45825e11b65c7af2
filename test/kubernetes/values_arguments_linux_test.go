// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"slices"
	"strings"
)

// args returns a change of the exporter's arguments: it replaces those of a flag by further ones.
func args(flag string, further ...string) func(*objects) {
	return func(o *objects) {
		c := o.container()
		c.Args = slices.DeleteFunc(c.Args, func(arg string) bool {
			name, _, _ := strings.Cut(arg, "=")
			return name == flag
		})
		c.Args = append(c.Args, further...)
	}
}

// argumentChanges are changes of the exporter's arguments, except those about serving.
func argumentChanges() []change {
	return []change{
		{value: "nflog.groups", set: "nflog: {groups: [0, 65535]}", want: args("", "--nflog.group=0", "--nflog.group=65535")},
		{value: "nflog.copyRange", set: "nflog: {copyRange: 64B}", want: args("", "--nflog.copy-range=64B")},
		{value: "nflog.queueThreshold", set: "nflog: {queueThreshold: 1000}", want: args("", "--nflog.queue-threshold=1000")},
		{value: "nflog.queueTimeout", set: "nflog: {queueTimeout: 1s}", want: args("", "--nflog.queue-timeout=1s")},
		{value: "nflog.batchBuffer", set: "nflog: {batchBuffer: 64KiB}", want: args("", "--nflog.batch-buffer=64KiB")},
		{value: "nflog.socketBuffer", set: "nflog: {socketBuffer: 64MiB}", want: args("", "--nflog.socket-buffer=64MiB")},
		{value: "collector.labels", set: "collector: {labels: [prefix, tcp_flags]}", want: args("", "--collector.labels=prefix,tcp_flags")},
		{
			value: "collector.protocols",
			set:   "collector: {protocols: [tcp, tp++, a/n, ax.25, '253', '0x88cc']}",
			want:  args("", "--collector.protocols=tcp,tp++,a/n,ax.25,253,0x88cc"),
		},
		{value: "collector.protocols all", set: "collector: {protocols: [all]}", want: args("", "--collector.protocols=all")},
		{value: "collector.markMask", set: "collector: {markMask: '0xff'}", want: args("", "--collector.mark-mask=0xff")},
		{
			value: "collector.destinationPorts",
			set:   "collector: {destinationPorts: [22, 65535]}",
			want:  args("", "--collector.destination-ports=22,65535"),
		},
		{
			value: "collector.interfacePatterns",
			set:   `collector: {interfacePatterns: ['(veth|cali)[0-9a-f]+$=${1}']}`,
			want:  args("--collector.interface-pattern", `--collector.interface-pattern=(veth|cali)[0-9a-f]+$$=$${1}`),
		},
		{
			value: "collector.packetSize",
			set:   "collector: {packetSize: false, packetSizeBuckets: [100]}",
			want:  args("--collector.histogram-labels", "--no-collector.packet-size"),
		},
		{
			value: "collector.histogramLabels",
			set:   "collector: {histogramLabels: [group, family]}",
			want:  args("--collector.histogram-labels", "--collector.histogram-labels=group,family"),
		},
		{value: "collector.histogramLabels all", set: "collector: {histogramLabels: []}", want: args("--collector.histogram-labels")},
		{
			value: "collector.packetSizeBuckets",
			set:   "collector: {packetSizeBuckets: [100, 4294967295]}",
			want:  args("", "--collector.packet-size-buckets=100,4294967295"),
		},
		{value: "collector.topSources", set: "collector: {topSources: 20}", want: args("", "--collector.top-sources=20")},
		{value: "collector.topSourcesNetworkLength", set: "collector: {topSourcesNetworkLength: 128}", want: args("", "--collector.top-sources-network-length=128")},
		{value: "collector.ruleset", set: "collector: {ruleset: false}", want: args("", "--no-collector.ruleset")},
		{value: "collector.maxLabelSets", set: "collector: {maxLabelSets: 1000000}", want: args("", "--collector.max-label-sets=1000000")},
		{value: "collector.idleTimeout", set: "collector: {idleTimeout: 24h}", want: args("", "--collector.idle-timeout=24h")},
		{
			value: "collector.deletedInterfaceTimeout",
			set:   "collector: {deletedInterfaceTimeout: 1h30m}",
			want:  args("", "--collector.deleted-interface-timeout=1h30m"),
		},
		{value: "log.level", set: "log: {level: debug}", want: args("--log.level", "--log.level=debug")},
		{value: "log.format", set: "log: {format: json}", want: args("--log.format", "--log.format=json")},
		{value: "extraArgs", set: "extraArgs: [--nflog.netns=/run/x]", want: args("", "--nflog.netns=/run/x")},
	}
}
