// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

const (
	podMonitorOn = "podMonitor: {enabled: true}"
	rulesOn      = "prometheusRule: {enabled: true}"
	dashboardsOn = "dashboards: {enabled: true}"
)

// withLabels returns the metadata of an object of the release, with further labels.
func (o *objects) withLabels(name string, further ...string) metav1.ObjectMeta {
	labels := maps.Clone(o.DaemonSet.Labels)
	for i := 0; i < len(further); i += 2 {
		labels[further[i]] = further[i+1]
	}
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels}
}

// monitoringChanges are changes of the objects for Prometheus and Grafana.
func monitoringChanges(t *testing.T) []change {
	t.Helper()
	ruleFiles, dashboards := chartFiles(t, "rules/*.yml"), chartFiles(t, "dashboards/*.json")
	var groups []monitoringv1.RuleGroup
	for _, file := range ruleFiles {
		var spec monitoringv1.PrometheusRuleSpec
		must(t, yaml.UnmarshalStrict(file.content, &spec))
		groups = append(groups, spec.Groups...)
	}

	return []change{
		{value: "podMonitor.enabled", set: podMonitorOn, want: func(o *objects) {
			port, scheme := "metrics", monitoringv1.Scheme("http")
			o.PodMonitor = &monitoringv1.PodMonitor{
				TypeMeta:   metav1.TypeMeta{APIVersion: "monitoring.coreos.com/v1", Kind: "PodMonitor"},
				ObjectMeta: o.withLabels(release),
				Spec: monitoringv1.PodMonitorSpec{
					JobLabel: nameLabel,
					Selector: *o.DaemonSet.Spec.Selector,
					PodMetricsEndpoints: []monitoringv1.PodMetricsEndpoint{{
						Port:   &port,
						Path:   "/metrics",
						Scheme: &scheme,
						RelabelConfigs: []monitoringv1.RelabelConfig{
							{SourceLabels: []monitoringv1.LabelName{"__meta_kubernetes_pod_node_name"}, TargetLabel: "instance"},
							{Action: "labeldrop", Regex: "pod|container|endpoint"},
						},
					}},
				},
			}
		}},
		{value: "podMonitor.labels", base: podMonitorOn, set: "podMonitor: {enabled: true, labels: {release: prometheus}}", want: func(o *objects) {
			o.PodMonitor.Labels["release"] = "prometheus"
		}},
		{value: "podMonitor.namespace", base: podMonitorOn, set: "podMonitor: {enabled: true, namespace: prometheus}", want: func(o *objects) {
			o.PodMonitor.Namespace = "prometheus"
			o.PodMonitor.Spec.NamespaceSelector.MatchNames = []string{namespace}
		}},
		{value: "podMonitor.annotations", base: podMonitorOn, set: "podMonitor: {enabled: true, annotations: {a: b}}", want: func(o *objects) {
			o.PodMonitor.Annotations = map[string]string{"a": "b"}
		}},
		{value: "podMonitor.sampleLimit", base: podMonitorOn, set: "podMonitor: {enabled: true, sampleLimit: 5000000}", want: func(o *objects) {
			limit := int64(5000000)
			o.PodMonitor.Spec.SampleLimit = &limit
		}},
		{value: "podMonitor.labelLimit", base: podMonitorOn, set: "podMonitor: {enabled: true, labelLimit: 30}", want: func(o *objects) {
			limit := int64(30)
			o.PodMonitor.Spec.LabelLimit = &limit
		}},
		{value: "podMonitor.podTargetLabels", base: podMonitorOn, set: "podMonitor: {enabled: true, podTargetLabels: [team]}", want: func(o *objects) {
			o.PodMonitor.Spec.PodTargetLabels = []string{"team"}
		}},
		{value: "podMonitor.attachMetadata", base: podMonitorOn, set: "podMonitor: {enabled: true, attachMetadata: {node: true}}", want: func(o *objects) {
			node := true
			o.PodMonitor.Spec.AttachMetadata = &monitoringv1.AttachMetadata{Node: &node}
		}},
		{value: "podMonitor.interval", base: podMonitorOn, set: "podMonitor: {enabled: true, interval: 1m}", want: func(o *objects) {
			o.endpoint().Interval = "1m"
		}},
		{value: "podMonitor.scrapeTimeout", base: podMonitorOn, set: "podMonitor: {enabled: true, scrapeTimeout: 5s}", want: func(o *objects) {
			o.endpoint().ScrapeTimeout = "5s"
		}},
		{value: "podMonitor.nativeHistograms", base: podMonitorOn, set: "podMonitor: {enabled: true, nativeHistograms: true}", want: func(o *objects) {
			native := true
			o.PodMonitor.Spec.ScrapeNativeHistograms = &native
		}},
		{value: "podMonitor.tlsConfig", base: podMonitorOn, set: "podMonitor: {enabled: true, tlsConfig: {serverName: nflog}}", want: func(o *objects) {
			name := "nflog"
			o.endpoint().TLSConfig = &monitoringv1.SafeTLSConfig{ServerName: &name}
		}},
		{
			value: "podMonitor.basicAuth",
			base:  podMonitorOn,
			set:   "podMonitor: {enabled: true, basicAuth: {username: {name: s, key: u}, password: {name: s, key: p}}}",
			want: func(o *objects) {
				secret := corev1.LocalObjectReference{Name: "s"}
				o.endpoint().BasicAuth = &monitoringv1.BasicAuth{
					Username: corev1.SecretKeySelector{LocalObjectReference: secret, Key: "u"},
					Password: corev1.SecretKeySelector{LocalObjectReference: secret, Key: "p"},
				}
			},
		},
		{value: "podMonitor.relabelings", base: podMonitorOn, set: "podMonitor: {enabled: true, relabelings: []}", want: func(o *objects) {
			o.endpoint().RelabelConfigs = nil
		}},
		{
			value: "podMonitor.metricRelabelings",
			base:  podMonitorOn,
			set:   "podMonitor: {enabled: true, metricRelabelings: [{action: labeldrop, regex: hook}]}",
			want: func(o *objects) {
				o.endpoint().MetricRelabelConfigs = []monitoringv1.RelabelConfig{{Action: "labeldrop", Regex: "hook"}}
			},
		},
		{value: "prometheusRule.enabled", set: rulesOn, want: func(o *objects) {
			o.Rules = &monitoringv1.PrometheusRule{
				TypeMeta:   metav1.TypeMeta{APIVersion: "monitoring.coreos.com/v1", Kind: "PrometheusRule"},
				ObjectMeta: o.withLabels(release),
				Spec:       monitoringv1.PrometheusRuleSpec{Groups: groups},
			}
		}},
		{value: "prometheusRule.labels", base: rulesOn, set: "prometheusRule: {enabled: true, labels: {release: prometheus}}", want: func(o *objects) {
			o.Rules.Labels["release"] = "prometheus"
		}},
		{value: "prometheusRule.namespace", base: rulesOn, set: "prometheusRule: {enabled: true, namespace: prometheus}", want: func(o *objects) {
			o.Rules.Namespace = "prometheus"
		}},
		{value: "prometheusRule.annotations", base: rulesOn, set: "prometheusRule: {enabled: true, annotations: {a: b}}", want: func(o *objects) {
			o.Rules.Annotations = map[string]string{"a": "b"}
		}},
		{value: "prometheusRule.additionalRules", base: rulesOn, set: "prometheusRule: {enabled: true, additionalRules: [{record: a, expr: b}]}", want: func(o *objects) {
			rule := monitoringv1.Rule{Record: "a", Expr: intstr.FromString("b")}
			o.Rules.Spec.Groups = append(o.Rules.Spec.Groups, monitoringv1.RuleGroup{Name: "nflog_exporter.additional", Rules: []monitoringv1.Rule{rule}})
		}},
		{value: "prometheusRule.disabled", base: rulesOn, set: "prometheusRule: {enabled: true, disabled: [NflogExporterMissing, NflogExporterDown]}", want: func(o *objects) {
			for i := range o.Rules.Spec.Groups {
				g := &o.Rules.Spec.Groups[i]
				g.Rules = slices.DeleteFunc(g.Rules, func(r monitoringv1.Rule) bool { return strings.HasPrefix(r.Alert, "NflogExporter") })
			}
		}},
		{value: "dashboards.enabled", set: dashboardsOn, want: func(o *objects) {
			for _, file := range dashboards {
				name := release + "-dashboard-" + strings.TrimSuffix(file.name, ".json")
				o.Dashboards = append(o.Dashboards, &corev1.ConfigMap{
					TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
					ObjectMeta: o.withLabels(name, "grafana_dashboard", "1"),
					Data:       map[string]string{"nflog-exporter-" + file.name: string(file.content)},
				})
			}
		}},
		{value: "dashboards.namespace", base: dashboardsOn, set: "dashboards: {enabled: true, namespace: grafana}", want: func(o *objects) {
			for _, d := range o.Dashboards {
				d.Namespace = "grafana"
			}
		}},
		{value: "dashboards.labels", base: dashboardsOn, set: "dashboards: {enabled: true, labels: {grafana_dashboard: nflog}}", want: func(o *objects) {
			for _, d := range o.Dashboards {
				d.Labels["grafana_dashboard"] = "nflog"
			}
		}},
		{value: "dashboards.annotations", base: dashboardsOn, set: "dashboards: {enabled: true, annotations: {grafana_folder: Network}}", want: func(o *objects) {
			for _, d := range o.Dashboards {
				d.Annotations = map[string]string{"grafana_folder": "Network"}
			}
		}},
	}
}

// A chartFile is a file of the chart that is no template.
type chartFile struct {
	name    string
	content []byte
}

// chartFiles returns the files that match a pattern, sorted by path. It fails the test if there are none.
func chartFiles(t *testing.T, pattern string) []chartFile {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(chart, "files", pattern))
	must(t, err)
	if len(paths) == 0 {
		t.Fatalf("no file matches %s", pattern)
	}
	var files []chartFile
	for _, path := range paths {
		content, err := os.ReadFile(path)
		must(t, err)
		files = append(files, chartFile{filepath.Base(path), content})
	}
	return files
}
