// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/queries"
)

// whoSeries stand in for an exporter that shows addresses, and for kube-state-metrics. 10.42.0.5 was the address of a pod that has
// ended, and is that of a pod in another cluster; 10.42.0.7 is that of a node and so of a pod in its network.
const whoSeries = `
  - series: nflog_packets_total{job="nflog", instance="a", group="100", prefix="DROP", in_interface="br0", source="10.42.0.5", destination="documentation"}
    values: 0+60x120
  - series: nflog_packets_total{job="nflog", instance="a", group="100", prefix="DROP", in_interface="eth0", source="reserved", destination="10.42.0.6"}
    values: 0+120x120
  - series: nflog_packets_total{job="nflog", instance="a", group="100", prefix="DROP", in_interface="eth0", source="10.42.0.7", destination="__overflow__"}
    values: 0+180x120
  - series: nflog_packets_total{job="nflog", instance="a", cluster="b", group="100", prefix="DROP", in_interface="br0", source="10.42.0.5", destination="other"}
    values: 0+600x120
  - series: nflog_sources{job="nflog", instance="a", group="100", prefix="DROP"}
    values: 5000x120
  - series: nflog_source_packets_total{job="nflog", instance="a", group="100", prefix="DROP", source="10.42.0.5", pod="before"}
    values: 0+240x60
  - series: nflog_source_packets_total{job="nflog", instance="a", group="100", prefix="DROP", source="10.42.0.5", pod="after"}
    values: _x58 0+240x60
  - series: kube_pod_info{namespace="shop", pod="cart", pod_ip="10.42.0.5", host_network="false", node="a"}
    values: 1x120
  - series: kube_pod_info{namespace="shop", pod="migrate", pod_ip="10.42.0.5", host_network="false", node="a"}
    values: 1x120
  - series: kube_pod_info{namespace="shop", pod="web", pod_ip="10.42.0.6", host_network="false", node="a"}
    values: 1x120
  - series: kube_pod_info{namespace="kube-system", pod="proxy", pod_ip="10.42.0.7", host_network="true", node="a"}
    values: 1x120
  - series: kube_pod_info{cluster="b", namespace="shop", pod="cart", pod_ip="10.42.0.5", host_network="false", node="b"}
    values: 1x120
  - series: kube_pod_status_phase{cluster="b", namespace="shop", pod="cart", phase="Running"}
    values: 1x120
  - series: kube_pod_status_phase{namespace="shop", pod="cart", phase="Running"}
    values: 1x120
  - series: kube_pod_status_phase{namespace="shop", pod="migrate", phase="Running"}
    values: 0x120
  - series: kube_pod_status_phase{namespace="shop", pod="migrate", phase="Succeeded"}
    values: 1x120
  - series: kube_pod_status_phase{namespace="shop", pod="web", phase="Running"}
    values: 1x120
`

// TestWhoQueries asks promtool each query of the page, what the rules for pods record, and what the dashboard shows of pods.
func TestWhoQueries(t *testing.T) {
	promtool := kerneltest.Require(t, "promtool")
	page, err := os.ReadFile("who.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile("(?s)\n```yaml\n(groups:\n {2}- name: .*?\n)```\n").FindSubmatch(page)
	if rules == nil {
		t.Fatal("the page has no rules")
	}
	all, err := queries.All(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	var asked, tests strings.Builder
	n := 0
	panels := map[string]string{
		`panel "Packets from pods"`: `{labels: '{namespace="shop", pod="cart", prefix="DROP"}', value: 1}, {labels: '{cluster="b", namespace="shop", pod="cart", prefix="DROP"}', value: 10}`,
		`panel "Packets to pods"`:   `{labels: '{namespace="shop", pod="web", prefix="DROP"}', value: 2}`,
	}
	for _, q := range all {
		for panel, want := range panels {
			if !strings.Contains(q.Where, panel) {
				continue
			}
			filled, err := q.Fill(queries.Everything("nflog", "a", time.Hour, time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&tests, "  - expr: |\n      %s\n    eval_time: 1h\n    exp_samples: [%s]\n", strings.ReplaceAll(filled.Expr, "\n", "\n      "), want)
			delete(panels, panel)
		}
		if strings.HasPrefix(q.Where, "docs/who.md") {
			fmt.Fprintf(&asked, "      - record: query%d\n        expr: |\n          %s\n", n, strings.ReplaceAll(q.Expr, "\n", "\n          "))
			fmt.Fprintf(&tests, "  - {expr: count(query%d) > bool 0, eval_time: 1h, exp_samples: [{labels: '{}', value: 1}]}  # %s\n", n, q.Where)
			n++
		}
	}
	if n < 7 {
		t.Errorf("the page has %d queries", n)
	}
	if len(panels) != 0 {
		t.Errorf("no dashboard has %v", panels)
	}
	folder := t.TempDir()
	recording, err := filepath.Abs("../deploy/prometheus/nflog_exporter.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"pods.yml":    string(rules[1]),
		"queries.yml": "groups:\n  - name: queries\n    rules:\n" + asked.String(),
		"test.yml": "rule_files: [" + recording + ", pods.yml, queries.yml]\nevaluation_interval: 1m\n" +
			"group_eval_order: [nflog_exporter.rules, nflog_exporter.pods, queries]\n" +
			"tests:\n- interval: 1m\n  input_series:" + whoSeries + "  promql_expr_test:\n" + tests.String() + `
  - expr: prefix_pod:nflog_packets:rate5m
    eval_time: 1h
    exp_samples:
    - {labels: 'prefix_pod:nflog_packets:rate5m{prefix="DROP", source="10.42.0.5", namespace="shop", pod="cart"}', value: 1}
    - {labels: 'prefix_pod:nflog_packets:rate5m{cluster="b", prefix="DROP", source="10.42.0.5", namespace="shop", pod="cart"}', value: 10}
  - expr: pod_ip:kube_pod_info:running
    eval_time: 1h
    exp_samples:
    - {labels: 'pod_ip:kube_pod_info:running{namespace="shop", pod="cart", pod_ip="10.42.0.5"}', value: 1}
    - {labels: 'pod_ip:kube_pod_info:running{namespace="shop", pod="web", pod_ip="10.42.0.6"}', value: 1}
    - {labels: 'pod_ip:kube_pod_info:running{cluster="b", namespace="shop", pod="cart", pod_ip="10.42.0.5"}', value: 1}
`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(promtool, "test", "rules", "test.yml")
	cmd.Dir = folder
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out.String(), asked.String())
	}
}
