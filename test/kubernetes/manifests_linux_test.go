// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const manifests = tree + "/deploy/kubernetes"

// TestManifests decodes the plain manifests, each alone and all together, and checks that the chart makes
// the same objects. .ci/kubernetes checks that the files are equal to the byte.
func TestManifests(t *testing.T) {
	t.Parallel()
	var all []byte
	for _, name := range manifestFiles(t) {
		b, err := os.ReadFile(filepath.Join(manifests, name))
		must(t, err)
		if _, err := decode(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all = append(append(all, "\n---\n"...), b...)
	}
	got, err := decode(all)
	must(t, err)
	values, err := os.ReadFile(manifests + "/values.yaml")
	must(t, err)
	want := render(t, string(values), "--namespace=nflog-exporter", "--skip-tests")
	for _, meta := range []map[string]string{
		want.Namespace.Labels, want.ServiceAccount.Labels, want.DaemonSet.Labels, want.PodMonitor.Labels, want.Rules.Labels,
	} {
		delete(meta, "helm.sh/chart")
		delete(meta, "app.kubernetes.io/managed-by")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected difference from the chart (-want +got):\n%s", diff)
	}
}

// manifestFiles returns the names of all manifests.
func manifestFiles(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(manifests)
	must(t, err)
	var names []string
	for _, e := range entries {
		if name := e.Name(); name != "values.yaml" && name != "kustomization.yaml" {
			names = append(names, name)
		}
	}
	return names
}

// TestKustomization checks that the kustomization has all manifests but those for the Prometheus operator,
// with the namespace first, and their image.
func TestKustomization(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(manifests + "/kustomization.yaml")
	must(t, err)
	var k struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Resources  []string `json:"resources"`
		Images     []struct {
			Name    string `json:"name"`
			NewName string `json:"newName"`
		} `json:"images"`
	}
	must(t, yaml.UnmarshalStrict(b, &k))
	if len(k.Resources) == 0 || k.Resources[0] != "namespace.yaml" {
		t.Errorf("the namespace is not the first of %v", k.Resources)
	}
	want := slices.DeleteFunc(manifestFiles(t), func(name string) bool {
		return name == "podmonitor.yaml" || name == "prometheusrule.yaml"
	})
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(k.Resources))); diff != "" {
		t.Errorf("unexpected resources (-want +got):\n%s", diff)
	}
	image := render(t, "").container().Image
	if len(k.Images) != 1 || k.Images[0].Name+":"+version(t) != image {
		t.Errorf("%v do not replace the image %s", k.Images, image)
	}
}
