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
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/internal/logmsg"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReadmeMetrics compares the README's tables of metrics and labels with what is exported.
func TestReadmeMetrics(t *testing.T) {
	c, err := New(Config{Groups: []GroupConfig{{Group: 100}}})
	if err != nil {
		t.Fatal(err)
	}
	datagram, _ := logmsg.Datagram(100)
	c.groups[0].table.begin(fixedNames{})
	c.groups[0].table.count(nflog.NewDecoder(100).Decode(datagram), time.Now())
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}

	type metric struct{ Type, Labels string }
	counted := strings.Join(slices.Sorted(slices.Values(labelNames)), " ")
	want := make(map[string]metric)
	for _, f := range families {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		want[f.GetName()] = metric{strings.ToLower(f.GetType().String()), strings.Join(labels, " ")}
	}

	got := make(map[string]metric)
	row := regexp.MustCompile("(?m)^\\| `(nflog_[a-z_]+)` \\| ([a-z]+) \\| (.*?) \\|")
	for _, m := range row.FindAllStringSubmatch(readme(t), -1) {
		labels := strings.NewReplacer("`", "", ",", "").Replace(m[3])
		if strings.HasPrefix(labels, "see ") || labels == "the same" {
			labels = counted
		}
		if m[1] != "nflog_exporter_build_info" { // of package main
			got[m[1]] = metric{m[2], labels}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected metrics in README.md (-want +got):\n%s", diff)
	}

	var labels []string
	row = regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\| [^|]*\\|$")
	_, section, _ := strings.Cut(readme(t), "### Labels")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		labels = append(labels, strings.Split(strings.ReplaceAll(m[1], "`", ""), ", ")...)
	}
	if diff := cmp.Diff(labelNames, labels); diff != "" {
		t.Errorf("unexpected labels in README.md (-want +got):\n%s", diff)
	}
}

// TestReadmeProtocols compares the README's list of protocols with the names that there are.
func TestReadmeProtocols(t *testing.T) {
	var want []string
	for number, name := range protocolNames {
		if name != "" {
			want = append(want, "`"+name+"` "+strconv.Itoa(number))
		}
	}
	_, list, _ := strings.Cut(readme(t), "<summary>The keywords</summary>")
	list, _, _ = strings.Cut(list, "</details>")
	got := regexp.MustCompile("`[^`]+` \\d+").FindAllString(list, -1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected protocols in README.md (-want +got):\n%s", diff)
	}
}
