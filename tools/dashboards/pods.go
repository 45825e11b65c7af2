// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// pods returns tables of the pods that packets come from and go to, if the exporter shows addresses of pods, and Prometheus has
// kube-state-metrics.
func pods() []chart {
	side := func(title, label, text string) chart {
		return chart{
			kind: table, title: title, w: 12, h: 9, unit: packetRate,
			noValue: "no packets, or no addresses of pods in the label " + label + ", or no kube-state-metrics",
			text:    text + " By the pod that runs with the address now. Pods in the network of their node have its address, and are left out.",
			queries: []query{{expr: nameEmpty("prefix", fmt.Sprintf("topk(25,\nsum by (cluster, namespace, pod, prefix) (\n%s\n) > 0)", podsOf(label)))}},
			columns: []column{
				{field: "Value", title: "Packets/s", unit: packetRate, sort: true, width: 130},
				{field: "namespace", title: "Namespace"},
				{field: "pod", title: "Pod"},
				{field: "prefix", title: "Prefix"},
				{field: "cluster", title: "Cluster"},
			},
			links: explained("who.md#kubernetes"),
		}
	}
	return []chart{
		side("Packets from pods", "source", "The 25 pods and prefixes with most packets that pods sent."),
		side("Packets to pods", "destination", "The 25 pods and prefixes with most packets for pods."),
	}
}

// podsOf returns rates of packets with the pod that has the address in the label. kube-state-metrics still tells the addresses of
// pods that have ended, which other pods may have now. Several clusters can have the same addresses.
func podsOf(label string) string {
	const running = "max by (cluster, namespace, pod, pod_ip) (kube_pod_info{host_network=\"false\",pod_ip!=\"\"})\n" +
		"and on (cluster, namespace, pod) kube_pod_status_phase{phase=\"Running\"} == 1"
	return fmt.Sprintf("%s\n* on (cluster, %s) group_left (namespace, pod)\ntopk by (cluster, %s) (1, label_replace(\n%s,\n%q, \"$1\", \"pod_ip\", \"(.+)\"))",
		sum("cluster, prefix, "+label, rate(series("nflog_packets_total", packetMatchers+","+label+`!=""`))), label, label, running, label)
}
