// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// page returns a page of the documentation.
func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentedMetrics compares the table of metrics in docs/metrics.md with the metrics of the collector.
func TestDocumentedMetrics(t *testing.T) {
	f := newFeed(t, Config{TopSources: 1})
	datagram, _ := nflogtest.Datagram(100)
	f.countDatagram(datagram)
	pretendRule(f.collector, "a")

	type metric struct{ Type, Labels string }
	defaultLabels := strings.Join(slices.Sorted(slices.Values(DefaultLabels())), " ")
	want := make(map[string]metric)
	for _, f := range gatherFamilies(t, f.collector) {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		want[f.GetName()] = metric{strings.ToLower(f.GetType().String()), strings.Join(labels, " ")}
	}
	want["nflog_bound_timestamp_seconds"] = metric{"gauge", "group"} // this group is not bound

	got := make(map[string]metric)
	row := regexp.MustCompile("(?m)^\\| `(nflog_[a-z_]+)` \\| ([a-z]+) \\| (.*?) \\|")
	for _, m := range row.FindAllStringSubmatch(page(t, "metrics.md"), -1) {
		labels := strings.NewReplacer("`", "", ",", "").Replace(m[3])
		if labels == "none" {
			labels = ""
		}
		if strings.HasPrefix(labels, "see ") || strings.HasPrefix(labels, "the same") {
			labels = defaultLabels
		}
		if !strings.HasPrefix(m[1], "nflog_exporter_") { // not of the collector
			got[m[1]] = metric{m[2], labels}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected metrics in docs/metrics.md (-want +got):\n%s", diff)
	}
}

// TestDocumentedLabels compares the tables of labels in docs/metrics.md with the labels of the collector.
func TestDocumentedLabels(t *testing.T) {
	_, section, _ := strings.Cut(page(t, "metrics.md"), "\n## Labels\n")
	section, _, _ = strings.Cut(section, "\n## ")
	byDefault, optional, _ := strings.Cut(section, "\nOptional; ")
	row := regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\| [^|]*\\| [^|]*\\|$")
	labels := func(table string) []string {
		var labels []string
		for _, m := range row.FindAllStringSubmatch(table, -1) {
			labels = append(labels, strings.Split(strings.ReplaceAll(m[1], "`", ""), ", ")...)
		}
		return labels
	}
	if diff := cmp.Diff(DefaultLabels(), labels(byDefault)); diff != "" {
		t.Errorf("unexpected default labels in docs/metrics.md (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(LabelNames()[len(DefaultLabels()):], labels(optional)); diff != "" {
		t.Errorf("unexpected optional labels in docs/metrics.md (-want +got):\n%s", diff)
	}
}

// TestDocumentedPresets compares the table of presets in docs/configuration.md with the labels that they make of its prefixes.
func TestDocumentedPresets(t *testing.T) {
	_, section, _ := strings.Cut(page(t, "configuration.md"), "\n### Presets\n")
	section, _, _ = strings.Cut(section, "\n\n**")
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9]+)` \\| `([^`]*)` \\| (.*) \\|$")
	pair := regexp.MustCompile("`([a-z_]+)=\"([^\"]*)\"`")
	shown := make(map[string]bool)
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		preset, raw := m[1], m[2]
		shown[preset] = true
		r, err := prefix.NewRules(prefix.Preset(preset), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[string]string)
		for _, p := range pair.FindAllStringSubmatch(m[3], -1) {
			want[p[1]] = p[2]
		}
		_, values := r.Apply(raw)
		got := make(map[string]string)
		for i, value := range values {
			got[r.LabelNames()[i]] = value
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected labels of %q by preset %s in docs/configuration.md (-want +got):\n%s", raw, preset, diff)
		}
	}
	for _, preset := range prefix.Presets() {
		if !shown[preset] {
			t.Errorf("no prefix of preset %s in docs/configuration.md", preset)
		}
	}
}

// TestDocumentedProtocols compares the list of protocols in docs/metrics.md with the values of the label protocol.
func TestDocumentedProtocols(t *testing.T) {
	var want []string
	for number := range 256 {
		if name := packet.Protocol(number).String(); name != strconv.Itoa(number) {
			want = append(want, "`"+name+"` "+strconv.Itoa(number))
		}
	}
	_, list, _ := strings.Cut(page(t, "metrics.md"), "<summary>The keywords</summary>")
	list, _, _ = strings.Cut(list, "</details>")
	got := regexp.MustCompile("`[^`]+` \\d+").FindAllString(list, -1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected protocols in docs/metrics.md (-want +got):\n%s", diff)
	}
}

// TestDocumentedSenders compares the table of docs/security.md about who chooses labels with the labels, and its numbers with the values
// that these can have.
func TestDocumentedSenders(t *testing.T) {
	count := func(numbers int, value func(int) string) int {
		values := make(map[string]bool)
		for i := range numbers {
			values[value(i)] = true
		}
		return len(values)
	}
	want := map[string]int{
		// All transport protocols and EtherTypes, except IPv4 and IPv6, and unknown.
		"protocol":  256 + 1<<16 - 2 + 1,
		"vlan":      1 << 12,
		"tcp_flags": count(256, func(i int) string { return packet.TCPFlags(i).Kind().String() }),
		"icmp_type": count(512, func(i int) string { return packet.ICMPType(i).Canonical().String() }),
		"dscp":      count(64, func(i int) string { return packet.DSCP(i).String() }),
	}

	_, section, _ := strings.Cut(page(t, "security.md"), "\n### Labels that senders choose\n")
	section, _, _ = strings.Cut(section, "\n## ")
	row := regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\| [^|]* \\| ([^|]*) \\|$")
	numbers := regexp.MustCompile(`\d[\d,]*`)
	var labels []string
	got := make(map[string]int)
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		names := strings.Split(strings.ReplaceAll(m[1], "`", ""), ", ")
		labels = append(labels, names...)
		if n := numbers.FindAllString(m[2], -1); n != nil && want[names[0]] != 0 {
			got[names[0]], _ = strconv.Atoi(strings.ReplaceAll(n[len(n)-1], ",", ""))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected numbers of values in docs/security.md (-want +got):\n%s", diff)
	}
	if !strings.Contains(section, "`protocol` | the sender | "+strconv.Itoa(len(DefaultProtocols())+2)+" by default") {
		t.Errorf("docs/security.md does not give the number of default protocols, other and unknown: %d", len(DefaultProtocols())+2)
	}
	slices.Sort(labels)
	if diff := cmp.Diff(slices.Sorted(slices.Values(LabelNames())), labels); diff != "" {
		t.Errorf("unexpected labels in docs/security.md (-want +got):\n%s", diff)
	}
}
