// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

const page = "docs/kubernetes.md"

// blocks returns the contents of a page's code blocks in a language. They may be indented.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tree, page))
	must(t, err)
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s has no block of %s", page, language)
	}
	return all
}

// block returns the only block of the page about Kubernetes that contains part.
func block(t *testing.T, language, part string) string {
	t.Helper()
	all := slices.DeleteFunc(blocks(t, page, language), func(b string) bool { return !strings.Contains(b, part) })
	if len(all) != 1 {
		t.Fatalf("%s has %d blocks of %s with %q", page, len(all), language, part)
	}
	return all[0]
}

// TestDocsCommands runs the commands of the documentation in the root of the tree. In place of an installation, helm renders
// the chart; the test decodes the objects, and the exporter checks its arguments. Commands that need a cluster or a registry do
// nothing.
func TestDocsCommands(t *testing.T) {
	t.Parallel()
	standIns := fmt.Sprintf("helm() { [ \"$1 $2\" != 'upgrade --install' ] || { shift 2; %s template --skip-tests \"$@\"; }; }\n",
		kerneltest.Require(t, "helm"))
	for _, name := range []string{"cat", "curl", "docker", "grep", "kubectl", "make", "nft", "sleep"} {
		standIns += name + "() { :; }\n"
	}

	for _, page := range []string{page, "deploy/helm/nflog-exporter/README.md"} {
		for i, commands := range blocks(t, page, "sh") {
			cmd := exec.Command("/bin/sh", "-euc", standIns+commands)
			cmd.Dir = tree
			cmd.Env = append(os.Environ(), "PATH=") // the shell finds no other program
			out, err := output(cmd)
			if err != nil {
				t.Errorf("%s, commands %d: %v", page, i, err)
				continue
			}
			if !strings.Contains(commands, "helm upgrade") {
				continue
			}
			o, err := decode(out)
			if err == nil && o.DaemonSet == nil {
				err = errors.New("no DaemonSet")
			}
			if err != nil {
				t.Errorf("%s, commands %d: %v", page, i, err)
				continue
			}
			if image := o.container().Image; image != "registry.example.com/nflog-exporter:"+version(t) {
				t.Errorf("%s, commands %d install the image %s", page, i, image)
			}
			checkAccepted(t, o)
		}
	}
}

// TestDocsVersion checks that the documentation builds the image that the chart installs.
func TestDocsVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(tree, page))
	must(t, err)
	tags := regexp.MustCompile(`/nflog-exporter:([0-9.]*\d)`).FindAllStringSubmatch(string(text), -1)
	if len(tags) == 0 {
		t.Errorf("%s has no image", page)
	}
	for _, tag := range tags {
		if tag[1] != version(t) {
			t.Errorf("%s has the image %s", page, tag[0])
		}
	}
}

// TestDocsConfigurations checks the configurations of the documentation.
func TestDocsConfigurations(t *testing.T) {
	t.Parallel()
	var policy networkingv1.NetworkPolicy
	must(t, yaml.UnmarshalStrict([]byte(block(t, "yaml", "NetworkPolicy")), &policy))

	dir := t.TempDir()
	promtool := kerneltest.Require(t, "promtool")
	check := func(what, content string) {
		t.Helper()
		file := filepath.Join(dir, what)
		must(t, os.WriteFile(file, []byte(content), 0o644))
		if _, err := output(exec.Command(promtool, "check", what, file)); err != nil {
			t.Errorf("%v\n%s", err, content)
		}
	}
	// Debian's promtool does not support kubernetes_sd_configs.
	discovery := regexp.MustCompile(`(?m)^ {4}kubernetes_sd_configs:\n( {6}.*\n)+`)
	check("config", discovery.ReplaceAllString(block(t, "yaml", "scrape_configs"), ""))

	queries := "groups:\n- name: docs\n  rules:\n"
	for _, b := range blocks(t, page, "promql") {
		for line := range strings.Lines(b) {
			if !strings.HasPrefix(line, "#") {
				queries += fmt.Sprintf("  - {record: docs, labels: {query: %q}, expr: %q}\n", line, line)
			}
		}
	}
	check("rules", queries)
}

// TestIntegrationDocsRules loads the firewall rules of the documentation twice, and counts packets that they log.
func TestIntegrationDocsRules(t *testing.T) {
	t.Parallel()
	nft := kerneltest.Require(t, "nft")
	file := filepath.Join(t.TempDir(), "nflog.nft")
	must(t, os.WriteFile(file, []byte(block(t, "nft", "table inet nflog")), 0o644))
	ns := newNode(t)
	run := func(args ...string) {
		t.Helper()
		must(t, ns.Do(func() error {
			_, err := output(exec.Command(nft, args...))
			return err
		}))
	}
	run("-f", file)
	run("-f", file)

	p := startPod(t, ns, nodeIPv4, render(t, "", "--set=podMonitor.enabled=true"), nil)
	p.awaitProbe(t, p.container().ReadinessProbe)
	must(t, traffic.SYN(ns, netip.AddrPortFrom(netip.MustParseAddr(nodeIPv4), 10250), 3))
	p.awaitSeries(t, regexp.MustCompile(`(?m)^nflog_packets_total\{.*hook="input".*prefix="node api".*\} 3$`))
	run("delete", "table", "inet", "nflog")
}
