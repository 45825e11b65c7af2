// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels in selectors.
const (
	nameLabel     = "app.kubernetes.io/name"
	instanceLabel = "app.kubernetes.io/instance"
)

// everything are values with which the chart renders all objects.
const everything = `
namespace: {create: true}
config: {prefix_rules: [{preset: k3s}]}
podMonitor: {enabled: true}
prometheusRule: {enabled: true}
dashboards: {enabled: true}`

// metas returns the metadata of all objects of the release, except the pod of helm test.
func (o *objects) metas() []*metav1.ObjectMeta {
	metas := []*metav1.ObjectMeta{
		&o.Namespace.ObjectMeta, &o.ServiceAccount.ObjectMeta, &o.Config.ObjectMeta, &o.DaemonSet.ObjectMeta,
		&o.PodMonitor.ObjectMeta, &o.Rules.ObjectMeta,
	}
	for _, d := range o.Dashboards {
		metas = append(metas, &d.ObjectMeta)
	}
	return metas
}

// setName renames all objects that are named after the release.
func (o *objects) setName(name string) {
	for _, meta := range o.metas()[1:] {
		meta.Name = name + meta.Name[len(release):]
	}
	o.Test.Name = name + o.Test.Name[len(release):]
	o.podTemplate().Spec.ServiceAccountName = name
	o.podTemplate().Spec.Volumes[0].ConfigMap.Name = name
}

// objectChanges are changes of the objects beside the pods.
func objectChanges() []change {
	return []change{
		{value: "nameOverride", base: everything, set: "nameOverride: packets", want: func(o *objects) {
			o.setName("nflog-exporter-packets")
			for _, meta := range append(o.metas(), &o.podTemplate().ObjectMeta) {
				meta.Labels[nameLabel] = "packets"
			}
			o.DaemonSet.Spec.Selector.MatchLabels[nameLabel] = "packets"
			o.PodMonitor.Spec.Selector.MatchLabels[nameLabel] = "packets"
			o.Test.Labels[nameLabel] = "packets-state"
		}},
		{value: "fullnameOverride", base: everything, set: "fullnameOverride: log", want: func(o *objects) {
			o.setName("log")
		}},
		{value: "commonLabels", base: everything, set: "commonLabels: {team: network}", want: func(o *objects) {
			for _, meta := range append(o.metas(), &o.podTemplate().ObjectMeta) {
				meta.Labels["team"] = "network"
			}
		}},
		{value: "namespaceOverride", base: everything, set: "namespaceOverride: log", want: func(o *objects) {
			o.Namespace.Name = "log"
			for _, meta := range o.metas()[1:] {
				meta.Namespace = "log"
			}
			o.Test.Namespace = "log"
		}},
		{value: "commonAnnotations", base: everything, set: "commonAnnotations: {team: network}", want: func(o *objects) {
			for _, meta := range append(o.metas(), &o.podTemplate().ObjectMeta) {
				meta.Annotations = map[string]string{"team": "network"}
			}
		}},
		{value: "extraManifests", set: "extraManifests: [{apiVersion: v1, kind: Namespace, metadata: {name: 'x-{{ .Release.Name }}'}}]", want: func(o *objects) {
			o.Namespace = extraNamespace("x-" + release)
		}},
		{value: "extraManifests as text", set: "extraManifests: ['{apiVersion: v1, kind: Namespace, metadata: {name: x}}']", want: func(o *objects) {
			o.Namespace = extraNamespace("x")
		}},
		{value: "namespace.create", set: "namespace: {create: true}", want: func(o *objects) {
			labels := map[string]string{
				"pod-security.kubernetes.io/enforce": "privileged",
				"pod-security.kubernetes.io/audit":   "privileged",
				"pod-security.kubernetes.io/warn":    "privileged",
			}
			maps.Copy(labels, o.DaemonSet.Labels)
			o.Namespace = &corev1.Namespace{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
				ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: labels},
			}
		}},
		{value: "serviceAccount.create", set: "serviceAccount: {create: false}", want: func(o *objects) {
			o.ServiceAccount = nil
			o.podTemplate().Spec.ServiceAccountName = "default"
		}},
		{value: "serviceAccount.name", set: "serviceAccount: {name: log}", want: func(o *objects) {
			o.ServiceAccount.Name = "log"
			o.podTemplate().Spec.ServiceAccountName = "log"
		}},
		{value: "serviceAccount.name of another", set: "serviceAccount: {create: false, name: log}", want: func(o *objects) {
			o.ServiceAccount = nil
			o.podTemplate().Spec.ServiceAccountName = "log"
		}},
		{value: "serviceAccount.annotations", set: "serviceAccount: {annotations: {a: b}}", want: func(o *objects) {
			o.ServiceAccount.Annotations = map[string]string{"a": "b"}
		}},
		{value: "test.enabled", set: "test: {enabled: false}", want: func(o *objects) { o.Test = nil }},
		{value: "test.hookDeletePolicy", set: "test: {hookDeletePolicy: before-hook-creation}", want: func(o *objects) {
			o.Test.Annotations["helm.sh/hook-delete-policy"] = "before-hook-creation"
		}},
		{value: "test.image", set: "test: {image: alpine:3}", want: func(o *objects) {
			o.Test.Spec.Containers[0].Image = "alpine:3"
		}},
	}
}

func extraNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
}

// TestNames renders releases with names that YAML takes for something else.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"100", "on", "1e3", "0x10", "null"} {
		// A full name of the same kind, and one that has the chart's name at its end.
		for _, values := range []string{"fullnameOverride: '" + name + "'", ""} {
			out, err := templateOf(t, name, everything+"\n"+values)
			must(t, err)
			o, err := decode(out)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := o.DaemonSet.Spec.Selector.MatchLabels[instanceLabel]; got != name {
				t.Errorf("%s: the selector has the instance %s", name, got)
			}
		}
	}
}

// TestLabelPrecedence sets the same labels in several places: the chart's own labels take precedence, then the most specific ones.
func TestLabelPrecedence(t *testing.T) {
	t.Parallel()
	o := render(t, "", "--set=commonLabels.team=all", `--set=commonLabels.app\.kubernetes\.io/name=other`,
		"--set=podMonitor.enabled=true", "--set=podMonitor.labels.team=monitor", "--set=podLabels.team=pod",
		`--set=podLabels.app\.kubernetes\.io/name=other`)
	for _, tt := range []struct {
		object string
		labels map[string]string
		team   string
	}{
		{object: "DaemonSet", labels: o.DaemonSet.Labels, team: "all"},
		{object: "pods", labels: o.podTemplate().Labels, team: "pod"},
		{object: "PodMonitor", labels: o.PodMonitor.Labels, team: "monitor"},
	} {
		if tt.labels["team"] != tt.team || tt.labels[nameLabel] != release {
			t.Errorf("unexpected labels of the %s: %v", tt.object, tt.labels)
		}
	}
}
