// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// probes returns the handlers of the probes.
func (o *objects) probes() []*corev1.ProbeHandler {
	return []*corev1.ProbeHandler{&o.container().LivenessProbe.ProbeHandler, &o.container().ReadinessProbe.ProbeHandler}
}

// setAddress returns the effect of a listen address. The host of the probes is empty if it is the default, the address of the
// node.
func setAddress(listen, probeHost string) func(*objects) {
	return func(o *objects) {
		args("--web.listen-address", "--web.listen-address="+listen)(o)
		for _, p := range o.probes() {
			p.HTTPGet.Host = probeHost
		}
		if probeHost != "" {
			o.Test.Spec.Containers[0].Env[1].Value = probeHost
		}
	}
}

// replaceScript replaces a part of the helm test pod's script.
func (o *objects) replaceScript(part, with string) {
	script := &o.Test.Spec.Containers[0].Command[2]
	*script = strings.Replace(*script, part, with, 1)
}

// webChanges are changes about serving, and about the configuration files.
func webChanges() []change {
	const secrets = "web: {config: {secrets: [web, certificate]}}"

	return []change{
		{value: "web.address all", set: "web: {address: 0.0.0.0}", want: setAddress("0.0.0.0:10100", "")},
		{value: "web.address all of IPv6", set: "web: {address: '::'}", want: setAddress("[::]:10100", "")},
		{value: "web.address loopback", set: "web: {address: 127.0.0.1}", want: setAddress("127.0.0.1:10100", "127.0.0.1")},
		{value: "web.address loopback of IPv6", set: "web: {address: '::1'}", want: setAddress("[::1]:10100", "::1")},
		{value: "web.address of the node", set: "web: {address: $(NODE_IP)}", want: func(o *objects) {
			setAddress("[$(NODE_IP)]:10100", "")(o)
			o.container().Env = append(o.container().Env, corev1.EnvVar{
				Name:      "NODE_IP",
				ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.hostIP"}},
			})
		}},
		{value: "web.port", set: "web: {port: 9999}", want: func(o *objects) {
			args("--web.listen-address", "--web.listen-address=:9999")(o)
			o.container().Ports[0].ContainerPort = 9999
			o.replaceScript(":10100", ":9999")
		}},
		{
			value: "web.telemetryPath",
			base:  "podMonitor: {enabled: true}",
			set:   "web: {telemetryPath: /nflog}",
			want: func(o *objects) {
				args("--web.telemetry-path", "--web.telemetry-path=/nflog")(o)
				o.endpoint().Path = "/nflog"
				o.replaceScript("get /metrics", "get /nflog")
			},
		},
		{value: "web.exporterMetrics", set: "web: {exporterMetrics: false}", want: args("", "--web.disable-exporter-metrics")},
		{value: "web.enableLifecycle", set: "web: {enableLifecycle: true}", want: args("", "--web.enable-lifecycle")},
		{value: "web.maxRequests", set: "web: {maxRequests: 10}", want: args("", "--web.max-requests=10")},
		{value: "web.maxRequests unlimited", set: "web: {maxRequests: 0}", want: args("", "--web.max-requests=0")},
		{value: "web.config.secrets", set: secrets, want: func(o *objects) {
			args("", "--web.config.file=/etc/nflog_exporter/web/web.yml")(o)
			o.container().VolumeMounts = []corev1.VolumeMount{{Name: "web", MountPath: "/etc/nflog_exporter/web", ReadOnly: true}}
			mode := int32(0o440)
			volume := &corev1.ProjectedVolumeSource{DefaultMode: &mode}
			for _, name := range []string{"web", "certificate"} {
				secret := &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: name}}
				volume.Sources = append(volume.Sources, corev1.VolumeProjection{Secret: secret})
			}
			o.podTemplate().Spec.Volumes = []corev1.Volume{{Name: "web", VolumeSource: corev1.VolumeSource{Projected: volume}}}
		}},
		{
			value: "web.config.file",
			base:  secrets,
			set:   "web: {config: {secrets: [web, certificate], file: config.yml}}",
			want:  args("--web.config.file", "--web.config.file=/etc/nflog_exporter/web/config.yml"),
		},
		{
			value: "web.config.tls",
			base:  secrets + "\npodMonitor: {enabled: true}",
			set:   "web: {config: {secrets: [web, certificate], tls: true}}",
			want: func(o *objects) {
				for _, p := range o.probes() {
					p.HTTPGet.Scheme = corev1.URISchemeHTTPS
				}
				*o.endpoint().Scheme = "https"
				o.replaceScript("http://", "https://")
				o.replaceScript("curl -sSf ", "curl -sSfk ")
			},
		},
		{
			value: "web.config.authentication",
			base:  secrets,
			set:   "web: {address: '::1', config: {secrets: [web, certificate], authentication: true}}",
			want: func(o *objects) {
				args("--web.listen-address", "--web.listen-address=[::1]:10100")(o)
				for _, p := range o.probes() {
					*p = corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("metrics"), Host: "::1"}}
				}
				o.Test = nil
			},
		},
		{value: "config", set: "config: {groups: [{group: 7, socket_buffer: 64MiB}], prefix_rules: [{match: 'a(?P<b>.)', prefix: '${b}'}]}", want: setConfig},
		{
			value: "configReloadInterval",
			base:  "config: {prefix_rules: [{preset: k3s}]}",
			set:   "configReloadInterval: 1m",
			want:  args("--config.reload-interval", "--config.reload-interval=1m"),
		},
		{
			value: "configReloadInterval none",
			base:  "config: {prefix_rules: [{preset: k3s}]}",
			set:   "configReloadInterval: ''",
			want: func(o *objects) {
				args("--config.reload-interval")(o)
				// Changed contents change the annotation, so that the pods restart.
				sum := sha256.Sum256([]byte("prefix_rules:\n- preset: k3s"))
				o.podTemplate().Annotations = map[string]string{"checksum/config": hex.EncodeToString(sum[:])}
			},
		},
		{value: "existingConfigMap", set: "existingConfigMap: mine", want: func(o *objects) { mountConfig(o, "mine") }},
	}
}

// setConfig is the effect of a configuration file.
func setConfig(o *objects) {
	const file = "groups:\n- group: 7\n  socket_buffer: 64MiB\nprefix_rules:\n- match: a(?P<b>.)\n  prefix: ${b}\n"
	o.Config = &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: release, Namespace: namespace, Labels: o.DaemonSet.Labels},
		Data:       map[string]string{"nflog.yml": file},
	}
	mountConfig(o, release)
}

// mountConfig is the effect of a ConfigMap with a configuration file.
func mountConfig(o *objects, name string) {
	args("", "--config.file=/etc/nflog_exporter/config/nflog.yml", "--config.reload-interval=10s")(o)
	o.container().VolumeMounts = []corev1.VolumeMount{{Name: "config", MountPath: "/etc/nflog_exporter/config", ReadOnly: true}}
	o.podTemplate().Spec.Volumes = []corev1.Volume{{
		Name:         "config",
		VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}},
	}}
}
