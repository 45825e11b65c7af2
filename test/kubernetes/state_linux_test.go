// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationState runs the script of the helm test pod, with the programs of its image.
func TestIntegrationState(t *testing.T) {
	tests := []struct {
		name   string
		values string
		ip     string
	}{
		{"default", "", nodeIPv4},
		{"IPv6", "", nodeIPv6},
		{"loopback", "web: {address: '::1', port: 9999, telemetryPath: /nflog}", nodeIPv4},
		{"TLS", "web: {address: $(NODE_IP), config: {secrets: [web], file: tls.yml, tls: true}}", nodeIPv6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := newNode(t)
			p := startPod(t, ns, tt.ip, render(t, tt.values), webFiles(t))
			p.awaitProbe(t, p.container().ReadinessProbe)
			out, err := p.runState(t)
			if err != nil || !strings.Contains(out, "\nnflog_up") || !strings.Contains(out, "\ngroup 100: bound since ") {
				t.Errorf("%v: %s", err, out)
			}

			second := startPod(t, ns, tt.ip, render(t, strings.ReplaceAll(tt.values, "9999", "9998"), "--set=web.port=9998"), webFiles(t))
			second.awaitProbe(t, second.container().ReadinessProbe)
			out, err = second.runState(t)
			if err == nil || !strings.Contains(out, "\ngroup 100: not bound: ") {
				t.Errorf("unexpected success where the group is held: %v: %s", err, out)
			}
		})
	}
}

// TestStateLabels checks that the selectors of the DaemonSet and the PodMonitor do not match the pod of helm test. The DaemonSet
// would delete it.
func TestStateLabels(t *testing.T) {
	t.Parallel()
	for _, values := range []string{"", "commonLabels: {team: network}\nnameOverride: x"} {
		o := render(t, values)
		selector := labels.SelectorFromSet(o.DaemonSet.Spec.Selector.MatchLabels)
		if !selector.Matches(labels.Set(o.podTemplate().Labels)) {
			t.Errorf("the selector %s does not match the pods of the DaemonSet", selector)
		}
		if selector.Matches(labels.Set(o.Test.Labels)) {
			t.Errorf("the selector %s matches the pod of helm test", selector)
		}
	}
}

// runState runs the script of the helm test pod, and returns its output.
func (p *pod) runState(t *testing.T) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"grep", "sh"} {
		must(t, os.Symlink(kerneltest.Require(t, "busybox"), filepath.Join(dir, program)))
	}
	must(t, os.Symlink(kerneltest.Require(t, "curl"), filepath.Join(dir, "curl")))

	c := p.Test.Spec.Containers[0]
	variables := make(map[string]string)
	env := []string{"PATH=" + dir}
	for _, v := range c.Env {
		variables[v.Name] = expand(v.Value, variables)
		if v.ValueFrom != nil {
			variables[v.Name] = p.ip
		}
		env = append(env, v.Name+"="+variables[v.Name])
	}
	var command []string
	for _, arg := range c.Command {
		command = append(command, expand(arg, variables))
	}

	cmd := exec.Command(filepath.Join(dir, command[0]), command[1:]...)
	var out bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &out
	must(t, p.ns.Start(cmd))
	err := cmd.Wait()
	return out.String(), err
}
