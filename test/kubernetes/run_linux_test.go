// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

const (
	group      = 100 // that the exporter reads by default, and that k3s logs to
	loggedPort = 9

	// As in the documentation.
	user, password = "prometheus", "test"
)

// TestIntegrationPod runs pods of the chart with several values, and probes and scrapes them like the kubelet and Prometheus.
func TestIntegrationPod(t *testing.T) {
	tests := []struct {
		name   string
		values string
		ip     string
		labels string // of the packets
	}{
		{"default", "", nodeIPv4, `prefix="DROP by policy default/deny-all"`},
		{"k3s", example(t, "k3s"), nodeIPv4, `policy="deny-all",policy_namespace="default"`},
		{"address of the node", "web: {address: $(NODE_IP)}", nodeIPv4, ""},
		{"IPv6 address of the node", "web: {address: $(NODE_IP)}", nodeIPv6, ""},
		{"loopback", "web: {address: '::1', telemetryPath: /nflog}", nodeIPv4, ""},
		{"TLS", "web: {config: {secrets: [web], file: tls.yml, tls: true}}", nodeIPv4, ""},
		{"TLS and password", example(t, "tls"), nodeIPv4, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := newNode(t)
			p := startPod(t, ns, tt.ip, render(t, tt.values, "--set=podMonitor.enabled=true"), webFiles(t))
			p.awaitProbe(t, p.container().ReadinessProbe)
			p.awaitProbe(t, p.container().LivenessProbe)
			p.awaitSeries(t, regexp.MustCompile(`(?m)^nflog_up\{group="100"\} 1$`))
			logPacket(t, ns)
			p.awaitSeries(t, regexp.MustCompile(`(?m)^nflog_packets_total\{.*`+tt.labels+`.*\} 1$`))
			p.stop(t)
		})
	}
}

// TestIntegrationConfigMap updates the ConfigMap of a pod, which applies it without a restart, and keeps its counts. It refuses a
// file with mistakes.
func TestIntegrationConfigMap(t *testing.T) {
	t.Parallel()
	config := func(groups string) *objects {
		return render(t, "configReloadInterval: 1s\npodMonitor: {enabled: true}\nconfig: {groups: "+groups+"}")
	}
	ns := newNode(t)
	p := startPod(t, ns, nodeIPv4, config("[{group: 100}]"), nil)
	p.awaitProbe(t, p.container().ReadinessProbe)
	logPacket(t, ns)
	counted := regexp.MustCompile(`(?m)^nflog_packets_total\{.*group="100".*\} 1$`)
	p.awaitSeries(t, counted)

	bad := config("[{group: 100}]")
	bad.Config.Data["nflog.yml"] = "groups: [{group: all}]\n"
	must(t, p.mount(bad))
	p.awaitSeries(t, regexp.MustCompile(`(?m)^nflog_exporter_config_last_reload_successful 0$`))

	must(t, p.mount(config("[{group: 100}, {group: 101}]")))
	p.awaitSeries(t, regexp.MustCompile(`(?m)^nflog_up\{group="101"\} 1$`))
	p.awaitSeries(t, counted)
}

// TestIntegrationHeldGroup checks that a pod becomes ready while another program holds its group.
func TestIntegrationHeldGroup(t *testing.T) {
	t.Parallel()
	ns := newNode(t)
	bound := regexp.MustCompile(`(?m)^nflog_up\{group="100"\} 1$`)
	holder := startPod(t, ns, nodeIPv4, render(t, "", "--set=podMonitor.enabled=true"), nil)
	holder.awaitSeries(t, bound)
	p := startPod(t, ns, nodeIPv4, render(t, "web: {port: 10101}", "--set=podMonitor.enabled=true"), nil)
	p.awaitProbe(t, p.container().ReadinessProbe)
	p.awaitSeries(t, regexp.MustCompile(`(?m)^nflog_bind_failures_total\{group="100",reason="held"\} [1-9]`))
	holder.stop(t)
	p.awaitSeries(t, bound)
}

// example returns a file of example values.
func example(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(tree + "/deploy/helm/examples/" + name + ".yaml")
	must(t, err)
	return string(b)
}

// webFiles returns web configuration files, and the files that they refer to.
func webFiles(t *testing.T) map[string]string {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	certificate := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	must(t, err)
	return map[string]string{
		"tls.crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
		"tls.key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"tls.yml": "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n",
		"web.yml": block(t, "yaml", "basic_auth_users"),
	}
}

// logPacket adds a rule like those of k3s to a node, and sends a packet that it logs.
func logPacket(t *testing.T, ns *netns.NS) {
	t.Helper()
	rs := nftrules.New(ns)
	rs.Chain(nftrules.Chain{Hook: nftrules.Output}).
		Log(group, "DROP by policy default/deny-all", nftrules.UDPPort(loggedPort), nftrules.Drop())
	must(t, rs.Apply())
	must(t, traffic.UDP(ns, netip.AddrPortFrom(netip.MustParseAddr(nodeIPv4), loggedPort), 1, 10))
}

// awaitSeries waits until a scrape of the pod matches want.
func (p *pod) awaitSeries(t *testing.T, want *regexp.Regexp) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		metrics, err := p.scrape(t)
		if err == nil && !want.MatchString(metrics) {
			var lines []string
			for line := range strings.Lines(metrics) {
				if strings.HasPrefix(line, "nflog_") {
					lines = append(lines, line)
				}
			}
			err = fmt.Errorf("no match of %s in:\n%s", want, strings.Join(lines, ""))
		}
		return err
	})
}

// scrape scrapes the pod with the settings of the PodMonitor.
func (p *pod) scrape(t *testing.T) (string, error) {
	t.Helper()
	host := "" // the host of the probes, which may be loopback
	if probe := p.container().LivenessProbe; probe.HTTPGet != nil {
		host = probe.HTTPGet.Host
	}
	e := p.endpoint()
	return p.get(t.Context(), string(*e.Scheme)+"://"+p.address(host)+e.Path, user, password)
}
