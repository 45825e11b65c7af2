// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"os"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
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
	beside := []corev1.Container{{Name: "beside", Image: "example.com/beside"}}
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
		{value: "global.imageRegistry", base: "image: {repository: example.com/log}", set: "global: {imageRegistry: mirror.example.org/x}", want: func(o *objects) {
			o.container().Image = "mirror.example.org/x/log:" + version(t)
			o.Test.Spec.Containers[0].Image = strings.Replace(o.Test.Spec.Containers[0].Image, "docker.io", "mirror.example.org/x", 1)
		}},
		{value: "global.imageRegistry without one before", base: "image: {repository: team/log}", set: "global: {imageRegistry: localhost}", want: func(o *objects) {
			o.container().Image = "localhost/team/log:" + version(t)
			o.Test.Spec.Containers[0].Image = strings.Replace(o.Test.Spec.Containers[0].Image, "docker.io", "localhost", 1)
		}},
		{
			value: "global.imagePullSecrets",
			base:  "imagePullSecrets: [{name: my-registry}]",
			set:   "global: {imagePullSecrets: [other, {name: third}, {name: my-registry}]}",
			want: func(o *objects) {
				all := append(slices.Clone(secrets), corev1.LocalObjectReference{Name: "other"}, corev1.LocalObjectReference{Name: "third"})
				o.podTemplate().Spec.ImagePullSecrets = all
				o.Test.Spec.ImagePullSecrets = all
			},
		},
		{value: "extraContainers", set: "extraContainers: [{name: beside, image: example.com/beside}]", want: func(o *objects) {
			o.podTemplate().Spec.Containers = append(o.podTemplate().Spec.Containers, beside...)
		}},
		{value: "extraInitContainers", set: "extraInitContainers: [{name: beside, image: example.com/beside}]", want: func(o *objects) {
			o.podTemplate().Spec.InitContainers = beside
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
		}},
		{value: "resources without a limit", set: "resources: {limits: {memory: null}}", want: func(o *objects) {
			delete(o.container().Resources.Limits, corev1.ResourceMemory)
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
			base:  "affinity: null",
			set: "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: " +
				"[{matchExpressions: [{key: zone, operator: In, values: [dmz]}]}]}}}",
			want: func(o *objects) {
				o.setAffinity(corev1.NodeSelectorRequirement{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"dmz"}})
			},
		},
		{value: "affinity none", set: "affinity: null", want: func(o *objects) { o.setAffinity() }},
		{value: "priorityClassName", set: "priorityClassName: system-node-critical", want: func(o *objects) {
			o.podTemplate().Spec.PriorityClassName = "system-node-critical"
		}},
		{value: "daemonSetAnnotations", set: "daemonSetAnnotations: {a: b}", want: func(o *objects) {
			o.DaemonSet.Annotations = map[string]string{"a": "b"}
		}},
		{value: "podAnnotations", set: "podAnnotations: {prometheus.io/scrape: 'true'}", want: func(o *objects) {
			o.podTemplate().Annotations = map[string]string{"prometheus.io/scrape": "true"}
		}},
		{value: "podLabels", set: "podLabels: {team: network}", want: func(o *objects) {
			o.podTemplate().Labels["team"] = "network"
		}},
		{value: "revisionHistoryLimit", set: "revisionHistoryLimit: 0", want: func(o *objects) {
			o.DaemonSet.Spec.RevisionHistoryLimit = new(int32)
		}},
		{value: "minReadySeconds", set: "minReadySeconds: 30", want: func(o *objects) {
			o.DaemonSet.Spec.MinReadySeconds = 30
		}},
		{value: "updateStrategy.type", set: "updateStrategy: {type: OnDelete}", want: func(o *objects) {
			o.DaemonSet.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
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
		{value: "livenessProbe off", set: "livenessProbe: {enabled: false}", want: func(o *objects) { o.container().LivenessProbe = nil }},
		{value: "readinessProbe off", set: "readinessProbe: {enabled: false}", want: func(o *objects) { o.container().ReadinessProbe = nil }},
		{value: "readinessProbe", set: "readinessProbe: {initialDelaySeconds: 1}", want: func(o *objects) {
			o.container().ReadinessProbe.InitialDelaySeconds = 1
		}},
	}
}

// setAffinity is the effect of an affinity to nodes with these requirements.
func (o *objects) setAffinity(requirements ...corev1.NodeSelectorRequirement) {
	var affinity *corev1.Affinity
	if len(requirements) > 0 {
		affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: requirements}},
			},
		}}
	}
	o.podTemplate().Spec.Affinity = affinity
	o.Test.Spec.Affinity = affinity
}

// TestVirtualNodes checks that no pod is scheduled to a virtual node by default: such nodes run no pods in the node's network,
// and one pod that does not become ready stalls a rollout.
func TestVirtualNodes(t *testing.T) {
	t.Parallel()
	term := render(t, "").podTemplate().Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0]
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   bool
	}{
		{"usual", map[string]string{"kubernetes.io/os": "linux"}, true},
		{"virtual kubelet", map[string]string{"type": "virtual-kubelet"}, false},
		{"Fargate", map[string]string{"eks.amazonaws.com/compute-type": "fargate"}, false},
	} {
		schedulable := !slices.ContainsFunc(term.MatchExpressions, func(r corev1.NodeSelectorRequirement) bool {
			return r.Operator != corev1.NodeSelectorOpNotIn || slices.Contains(r.Values, tt.labels[r.Key])
		})
		if schedulable != tt.want {
			t.Errorf("%s: schedulable %v, want %v", tt.name, schedulable, tt.want)
		}
	}
}

// version returns the exporter's version.
func version(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(tree + "/VERSION")
	must(t, err)
	return strings.TrimSpace(string(b))
}
