// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// podChanges are changes of the pods, except the exporter's arguments.
func podChanges(t *testing.T) []change {
	t.Helper()
	digest := "sha256:" + strings.Repeat("0a", 32)
	image := func(image string) func(*objects) {
		return func(o *objects) { o.container().Image = image }
	}
	secrets := []corev1.LocalObjectReference{{Name: "my-registry"}}
	volume := corev1.Volume{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}

	return []change{
		{value: "image.repository", set: "image: {repository: example.com/log}", want: image("example.com/log:" + version(t))},
		{value: "image.tag", set: "image: {tag: v1}", want: image("nflog-exporter:v1")},
		{value: "image.digest", set: "image: {tag: v1, digest: '" + digest + "'}", want: image("nflog-exporter@" + digest)},
		{value: "image.pullPolicy", set: "image: {pullPolicy: Always}", want: func(o *objects) {
			o.container().ImagePullPolicy = corev1.PullAlways
		}},
		{value: "imagePullSecrets", set: "imagePullSecrets: [{name: my-registry}]", want: func(o *objects) {
			o.podTemplate().Spec.ImagePullSecrets = secrets
			o.Test.Spec.ImagePullSecrets = secrets
		}},
		{value: "extraEnv", set: "extraEnv: [{name: GOMEMLIMIT, value: 100MiB}]", want: func(o *objects) {
			o.container().Env = []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: "100MiB"}}
		}},
		{value: "extraVolumes", set: "extraVolumes: [{name: tmp, emptyDir: {}}]", want: func(o *objects) {
			o.podTemplate().Spec.Volumes = []corev1.Volume{volume}
		}},
		{
			value: "extraVolumeMounts",
			base:  "extraVolumes: [{name: tmp, emptyDir: {}}]",
			set:   "extraVolumeMounts: [{name: tmp, mountPath: /tmp}]",
			want: func(o *objects) {
				o.container().VolumeMounts = []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}}
			},
		},
		{value: "resources", set: "resources: {limits: {memory: 64Mi}}", want: func(o *objects) {
			o.container().Resources.Limits[corev1.ResourceMemory] = resource.MustParse("64Mi")
			o.container().Env = []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: "53687091"}} // four fifths
		}},
		{value: "resources without a limit", set: "resources: {limits: {memory: null}}", want: func(o *objects) {
			delete(o.container().Resources.Limits, corev1.ResourceMemory)
			o.container().Env = nil
		}},
		{value: "securityContext", set: "securityContext: {capabilities: {add: [NET_ADMIN, SYS_ADMIN]}}", want: func(o *objects) {
			c := o.container().SecurityContext.Capabilities
			c.Add = append(c.Add, "SYS_ADMIN")
		}},
		{value: "podSecurityContext", set: "podSecurityContext: {seLinuxOptions: {type: spc_t}}", want: func(o *objects) {
			o.podTemplate().Spec.SecurityContext.SELinuxOptions = &corev1.SELinuxOptions{Type: "spc_t"}
			o.Test.Spec.SecurityContext.SELinuxOptions = &corev1.SELinuxOptions{Type: "spc_t"}
		}},
		{value: "tolerations", set: "tolerations: []", want: func(o *objects) {
			o.podTemplate().Spec.Tolerations = nil
			o.Test.Spec.Tolerations = nil
		}},
		{value: "nodeSelector", set: "nodeSelector: {zone: dmz}", want: func(o *objects) {
			o.podTemplate().Spec.NodeSelector["zone"] = "dmz"
			o.Test.Spec.NodeSelector["zone"] = "dmz"
		}},
		{
			value: "affinity",
			set: "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: " +
				"[{matchExpressions: [{key: type, operator: NotIn, values: [virtual-kubelet]}]}]}}}",
			want: func(o *objects) {
				virtual := corev1.NodeSelectorRequirement{Key: "type", Operator: corev1.NodeSelectorOpNotIn, Values: []string{"virtual-kubelet"}}
				o.podTemplate().Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
					RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
						MatchExpressions: []corev1.NodeSelectorRequirement{virtual},
					}}},
				}}
				o.Test.Spec.Affinity = o.podTemplate().Spec.Affinity
			},
		},
		{value: "priorityClassName", set: "priorityClassName: system-node-critical", want: func(o *objects) {
			o.podTemplate().Spec.PriorityClassName = "system-node-critical"
		}},
		{value: "podAnnotations", set: "podAnnotations: {prometheus.io/scrape: 'true'}", want: func(o *objects) {
			o.podTemplate().Annotations = map[string]string{"prometheus.io/scrape": "true"}
		}},
		{value: "podLabels", set: "podLabels: {team: network}", want: func(o *objects) {
			o.podTemplate().Labels["team"] = "network"
		}},
		{value: "updateStrategy.maxUnavailable", set: "updateStrategy: {maxUnavailable: 3}", want: func(o *objects) {
			three := intstr.FromInt32(3)
			o.DaemonSet.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = &three
		}},
		{value: "terminationGracePeriodSeconds", set: "terminationGracePeriodSeconds: 30", want: func(o *objects) {
			seconds := int64(30)
			o.podTemplate().Spec.TerminationGracePeriodSeconds = &seconds
		}},
		{value: "livenessProbe", set: "livenessProbe: {periodSeconds: 60}", want: func(o *objects) {
			o.container().LivenessProbe.PeriodSeconds = 60
		}},
		{value: "readinessProbe", set: "readinessProbe: {initialDelaySeconds: 1}", want: func(o *objects) {
			o.container().ReadinessProbe.InitialDelaySeconds = 1
		}},
	}
}

// version returns the exporter's version.
func version(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(tree + "/VERSION")
	must(t, err)
	return strings.TrimSpace(string(b))
}
