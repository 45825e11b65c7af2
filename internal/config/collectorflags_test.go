// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// collectorRefusals are bad values of the flags about how packets are counted.
func collectorRefusals() []refusal {
	const (
		labels   = "group, prefix, family, hook, in_interface, out_interface, protocol, mark, uid, gid, vlan, phys_in_interface, phys_out_interface, tcp_flags, icmp_type, conntrack_state, dscp, destination_port, source, destination, in_alias, out_alias"
		list     = "must be distinct values separated by commas, each one of " + labels
		ports    = "must be distinct values separated by commas, each a number from 0 to 65535"
		protocol = "must be all, or distinct values separated by commas, each a value of the label protocol: a name such as tcp or arp, " +
			"the number of a protocol without a name such as 253, or an EtherType such as 0x88cc"
		mask     = "must be a number from 0x1 to 0xffffffff"
		pattern  = "must be REGEXP=REPLACEMENT, for example veth.*=veth"
		buckets  = "must be up to 16 ascending numbers from 1 to 4294967295, separated by commas"
		timeouts = "must be 0s for never, or a time from 1s to 10000h0m0s"
	)
	return []refusal{
		{name: "label unknown", args: []string{"--collector.labels=prefix,port"}, want: `--collector.labels="prefix,port": ` + list + `: "port" is wrong`},
		{name: "label misspelt", args: []string{"--collector.labels=prefix,in-interface"}, want: `--collector.labels="prefix,in-interface": ` + list + `: "in-interface" is wrong, did you mean in_interface?`},
		{name: "no label", args: []string{"--collector.labels="}, want: `--collector.labels="": ` + list + `: write group to keep that label alone`},
		{name: "label twice", args: []string{"--collector.labels=mark,prefix,mark"}, want: `--collector.labels="mark,prefix,mark": ` + list + `: "mark" is given more than once`},
		{name: "label with space", args: []string{"--collector.labels=prefix, hook"}, want: `--collector.labels="prefix, hook": ` + list + `: " hook" is wrong, write hook`},
		{name: "label missing", args: []string{"--collector.labels=prefix,"}, want: `--collector.labels="prefix,": ` + list + `: one value is empty`},
		{name: "label of several namespaces", args: []string{"--collector.labels=netns"}, want: `--collector.labels="netns": ` + list + `: "netns" is wrong`},

		{name: "too many sources", args: []string{"--collector.top-sources=101"}, want: `--collector.top-sources="101": must be a number from 0 to 100`},
		{name: "no IPv6 length", args: []string{"--collector.top-sources-network-length=0"}, want: `--collector.top-sources-network-length="0": must be a number from 1 to 128`},

		{name: "no protocol", args: []string{"--collector.protocols="}, want: `--collector.protocols="": ` + protocol + `: write all for all protocols`},
		{name: "protocol unknown", args: []string{"--collector.protocols=tcp,http"}, want: `--collector.protocols="tcp,http": ` + protocol + `: "http" is wrong`},
		{name: "protocol by the number of a name", args: []string{"--collector.protocols=6"}, want: `--collector.protocols="6": ` + protocol + `: "6" is wrong`},
		{name: "protocol in capitals", args: []string{"--collector.protocols=TCP"}, want: `--collector.protocols="TCP": ` + protocol + `: "TCP" is wrong`},
		{name: "protocol twice", args: []string{"--collector.protocols=tcp,udp,tcp"}, want: `--collector.protocols="tcp,udp,tcp": ` + protocol + `: "tcp" is given more than once`},
		{name: "all protocols and one", args: []string{"--collector.protocols=tcp,all"}, want: `--collector.protocols="tcp,all": ` + protocol + `: "all" is wrong`},
		{name: "other protocols", args: []string{"--collector.protocols=other"}, want: `--collector.protocols="other": ` + protocol + `: "other" is wrong`},
		{name: "EtherType by name", args: []string{"--collector.protocols=0x0806"}, want: `--collector.protocols="0x0806": ` + protocol + `: "0x0806" is wrong`},

		{name: "mark mask zero", args: []string{"--collector.mark-mask=0x0"}, want: `--collector.mark-mask="0x0": ` + mask},
		{name: "mark mask too large", args: []string{"--collector.mark-mask=0x100000000"}, want: `--collector.mark-mask="0x100000000": ` + mask},
		{name: "mark mask no number", args: []string{"--collector.mark-mask=ff"}, want: `--collector.mark-mask="ff": ` + mask + `: write 0xff`},

		{name: "destination port too large", args: []string{"--collector.destination-ports=80,65536"}, want: `--collector.destination-ports="80,65536": ` + ports + `: "65536" is wrong`},
		{name: "destination port by name", args: []string{"--collector.destination-ports=ssh"}, want: `--collector.destination-ports="ssh": ` + ports + `: "ssh" is wrong`},
		{name: "destination port twice", args: []string{"--collector.destination-ports=80,443,080"}, want: `--collector.destination-ports="80,443,080": ` + ports + `: "080" is given more than once`},

		{name: "interface pattern without replacement", args: []string{"--collector.interface-pattern=veth.*"}, want: `--collector.interface-pattern="veth.*": ` + pattern},
		{name: "interface pattern with an empty replacement", args: []string{"--collector.interface-pattern=veth.*="}, want: `--collector.interface-pattern="veth.*=": ` + pattern + ": the replacement must not be empty"},
		{name: "interface pattern without expression", args: []string{"--collector.interface-pattern==veth"}, want: `--collector.interface-pattern="=veth": ` + pattern},
		{
			name: "interface pattern no expression",
			args: []string{"--collector.interface-pattern=a=b", "--collector.interface-pattern=(veth=veth"},
			want: `--collector.interface-pattern="(veth=veth": ` + pattern + ": the expression must be a regular expression in RE2's syntax: missing closing ): \"(veth\"",
		},

		{name: "packet size with value", args: []string{"--collector.packet-size=false"}, want: `--collector.packet-size="false": must be given without a value`},
		{name: "ruleset with value", args: []string{"--collector.ruleset=yes"}, want: `--collector.ruleset="yes": must be given without a value`},
		{name: "no packet size with value", args: []string{"--no-collector.packet-size=true"}, want: `--no-collector.packet-size="true": must be given without a value`},

		{name: "histogram label unknown", args: []string{"--collector.histogram-labels=le"}, want: `--collector.histogram-labels="le": ` + list + `: "le" is wrong`},
		{name: "no histogram label", args: []string{"--collector.histogram-labels="}, want: `--collector.histogram-labels="": ` + list + `: write group to keep that label alone`},
		{
			name: "histogram label not of the default ones",
			args: []string{"--collector.histogram-labels=prefix,mark"},
			want: `--collector.histogram-labels="prefix,mark": must be a subset of --collector.labels, which has no mark`,
		},
		{
			name: "histogram label not of the chosen ones",
			args: []string{"--collector.histogram-labels=group,prefix", "--collector.labels=mark"},
			want: `--collector.histogram-labels="group,prefix": must be a subset of --collector.labels, which has no prefix`,
		},

		{name: "bucket zero", args: []string{"--collector.packet-size-buckets=0,64"}, want: `--collector.packet-size-buckets="0,64": ` + buckets + `: "0" is wrong`},
		{name: "bucket too large", args: []string{"--collector.packet-size-buckets=4294967296"}, want: `--collector.packet-size-buckets="4294967296": ` + buckets + `: "4294967296" is wrong`},
		{name: "buckets descending", args: []string{"--collector.packet-size-buckets=64,1500,128"}, want: `--collector.packet-size-buckets="64,1500,128": ` + buckets + `: 128 comes after 1500`},
		{name: "bucket twice", args: []string{"--collector.packet-size-buckets=64,64"}, want: `--collector.packet-size-buckets="64,64": ` + buckets + `: "64" is given more than once`},
		{
			name: "too many buckets",
			args: []string{"--collector.packet-size-buckets=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"},
			want: `--collector.packet-size-buckets="1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17": ` + buckets + `: there are 17`,
		},

		{name: "no label set", args: []string{"--collector.max-label-sets=0"}, want: `--collector.max-label-sets="0": must be a number from 1 to 1000000`},
		{name: "too many label sets", args: []string{"--collector.max-label-sets=1000001"}, want: `--collector.max-label-sets="1000001": must be a number from 1 to 1000000`},

		{name: "idle timeout without unit", args: []string{"--collector.idle-timeout=10"}, want: `--collector.idle-timeout="10": ` + timeouts + `: write 10s`},
		{name: "idle timeout in days", args: []string{"--collector.idle-timeout=2d"}, want: `--collector.idle-timeout="2d": ` + timeouts + `: write 48h`},
		{name: "idle timeout too short", args: []string{"--collector.idle-timeout=999ms"}, want: `--collector.idle-timeout="999ms": ` + timeouts},
		{name: "idle timeout negative", args: []string{"--collector.idle-timeout=-1s"}, want: `--collector.idle-timeout="-1s": ` + timeouts},
		{name: "deleted interface timeout too long", args: []string{"--collector.deleted-interface-timeout=10001h"}, want: `--collector.deleted-interface-timeout="10001h": ` + timeouts},
		{name: "deleted interface timeout empty", args: []string{"--collector.deleted-interface-timeout="}, want: `--collector.deleted-interface-timeout="": ` + timeouts},
	}
}

// defaultCollectorConfig is the configuration of the collector without flags.
func defaultCollectorConfig() collector.Config {
	return collector.Config{
		Labels: []string{"group", "prefix", "family", "hook", "in_interface", "out_interface", "protocol"},
		Protocols: []string{
			"icmp", "igmp", "ipv4", "tcp", "udp", "ipv6", "gre", "esp", "ah", "icmpv6", "eigrp", "ospfigp", "pim", "vrrp", "l2tp", "sctp",
			"arp", "0x0004", "0x8809", "0x8847", "0x8863", "0x8864", "0x888e", "0x88cc", "0x88f7",
		},
		MarkMask: 0xffffffff,
		DestinationPorts: []uint16{
			22, 25, 53, 67, 80, 123, 143, 161, 443, 445, 465, 587, 853, 993, 995, 1433, 1900, 3306, 3389, 5060, 5353, 5432, 6379, 6443,
			8080, 8443, 9100, 10250,
		},
		PacketSizeBuckets:       []uint32{64, 128, 256, 512, 1024, 1500, 9000, 65535},
		TopSourcesIPv6:          64,
		MaxLabelSets:            2000,
		DeletedInterfaceTimeout: 10 * time.Minute,
	}
}

// checkUsable checks that the collector takes what the command line and the configuration file say.
func checkUsable(t *testing.T, o *Options) {
	t.Helper()
	c, warnings, err := o.Load()
	if err != nil || len(warnings) > 0 {
		t.Fatalf("unexpected warnings %v, error %v", warnings, err)
	}
	if _, err := collector.New(c); err != nil {
		t.Errorf("the collector refuses it: %v", err)
	}
}

func interfacePattern(t *testing.T, match, replacement string) prefix.InterfacePattern {
	t.Helper()
	p, err := prefix.NewInterfacePattern(match, replacement)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// comparePatterns makes interface patterns comparable by package cmp.
func comparePatterns() cmp.Option {
	return cmp.Options{
		cmp.Exporter(func(reflect.Type) bool { return true }), // of patterns and their templates
		cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() }),
	}
}

func TestCollectorFlags(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want func(*collector.Config)
	}{
		{name: "none", want: func(*collector.Config) {}},
		{
			name: "all",
			args: []string{
				"--collector.labels=prefix,mark,uid", "--collector.mark-mask=0xff00", "--collector.destination-ports=0,65535",
				"--collector.interface-pattern=veth.*=veth", "--collector.interface-pattern", "(cali|lxc)[0-9=]+=${1}",
				"--no-collector.packet-size", "--collector.histogram-labels=mark,group", "--collector.packet-size-buckets=1,4294967295",
				"--collector.max-label-sets=1000000", "--collector.idle-timeout=1h30m", "--collector.deleted-interface-timeout=0s",
				"--collector.protocols=hopopt,253,arp,0x88b5", "--collector.top-sources=100", "--collector.top-sources-network-length=128", "--no-collector.ruleset",
			},
			want: func(c *collector.Config) {
				c.Protocols = []string{"hopopt", "253", "arp", "0x88b5"}
				c.TopSources, c.TopSourcesIPv6 = 100, 128
				c.Labels = []string{"prefix", "mark", "uid"}
				c.MarkMask = 0xff00
				c.DestinationPorts = []uint16{0, 65535}
				c.InterfacePatterns = []prefix.InterfacePattern{
					interfacePattern(t, "veth.*", "veth"), interfacePattern(t, "(cali|lxc)[0-9=]+", "${1}"),
				}
				c.NoPacketSize, c.NoRuleset = true, true
				c.HistogramLabels = []string{"mark", "group"}
				c.PacketSizeBuckets = []uint32{1, 4294967295}
				c.MaxLabelSets = 1_000_000
				c.IdleTimeout = 90 * time.Minute
				c.DeletedInterfaceTimeout = 0
			},
		},
		{
			name: "limits",
			args: []string{
				"--collector.mark-mask=1", "--collector.packet-size", "--collector.ruleset", "--collector.packet-size-buckets=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
				"--collector.max-label-sets=1", "--collector.idle-timeout=1s", "--collector.deleted-interface-timeout=10000h",
				"--collector.protocols=all",
			},
			want: func(c *collector.Config) {
				c.Protocols = []string{"all"}
				c.MarkMask = 1
				c.PacketSizeBuckets = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
				c.MaxLabelSets = 1
				c.IdleTimeout = time.Second
				c.DeletedInterfaceTimeout = 10000 * time.Hour
			},
		},
		{
			name: "shortest lists",
			args: []string{
				"--collector.labels=group", "--collector.destination-ports=", "--collector.histogram-labels=group", "--collector.packet-size-buckets=",
			},
			want: func(c *collector.Config) {
				c.Labels, c.HistogramLabels = []string{"group"}, []string{"group"}
				c.DestinationPorts = []uint16{} // nil is for the default
				c.PacketSizeBuckets = []uint32{}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, _, err := Parse(tt.args, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := defaultCollectorConfig()
			tt.want(&want)
			if diff := cmp.Diff(want, o.collector, comparePatterns()); diff != "" {
				t.Errorf("unexpected configuration (-want +got):\n%s", diff)
			}
			checkUsable(t, o)
		})
	}
}

// TestEveryLabelIsUsable checks that the collector takes each label that the flags take.
func TestEveryLabelIsUsable(t *testing.T) {
	for _, label := range collector.LabelNames() {
		o, _, err := Parse([]string{"--collector.labels=" + label, "--collector.histogram-labels=" + label}, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkUsable(t, o)
	}
}
