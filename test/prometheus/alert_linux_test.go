// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/prometheus/rules"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// evaluation is how often the rules of a test are evaluated, in place of their own interval.
const evaluation = time.Second

// startAlerts evaluates a group of the alerts until the end of the test, and returns the group's own interval.
func (s *server) startAlerts(t *testing.T, group string) time.Duration {
	t.Helper()
	const file = "../../deploy/prometheus/nflog_exporter.alerts.yml"
	content, err := os.ReadFile(file)
	must(t, err)
	_, rest, found := strings.Cut(string(content), "  - name: "+group+"\n")
	if !found {
		t.Fatalf("no group %s", group)
	}
	one, _, _ := strings.Cut(rest, "  - name: ")
	own, _, _ := strings.Cut(strings.TrimPrefix(one, "    interval: "), "\n")
	interval, err := time.ParseDuration(own)
	must(t, err)
	one = strings.Replace(one, "interval: "+own, "interval: "+evaluation.String(), 1)
	path := filepath.Join(t.TempDir(), "alerts.yml")
	must(t, os.WriteFile(path, []byte("groups:\n  - name: "+group+"\n"+one), 0o600))

	manager := rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{Scheme: "http", Host: "prometheus"},
		QueryFunc:   rules.EngineQueryFunc(s.engine, s.db),
		NotifyFunc:  func(context.Context, string, ...*rules.Alert) {},
		Context:     t.Context(),
		Appendable:  s.db,
		Queryable:   s.db,
		Logger:      log.NewNopLogger(),
		Registerer:  s.registry,
	})
	must(t, manager.Update(evaluation, []string{path}, nil, "", nil))
	go manager.Run()
	t.Cleanup(manager.Stop)
	return interval
}

// firing returns the prefixes for which an alert fires, and since when.
func (s *server) firing(t *testing.T, alert string) map[string]float64 {
	t.Helper()
	return s.vector(t, now(), "prefix", `timestamp(ALERTS{alertname=%q,alertstate="firing"})`, alert)
}

// TestIntegrationFlushed flushes a firewall. The alert fires within two minutes, with its own interval and delay, and ends when the rules are
// there again.
func TestIntegrationFlushed(t *testing.T) {
	t.Parallel()
	const (
		alert = "NflogPrefixWithoutRules"
		most  = 2 * time.Minute
	)
	ns := kerneltest.NS(t)
	const firewall = `table inet fw {
		chain out {
			type filter hook output priority 0
			udp dport 1000 log prefix "ssh " group 100
			udp dport 1001 log prefix "web " group 100
		}
	}`
	nft(t, ns, firewall)
	startExporter(t, ns)
	s := startServer(t, features{}, func(ctx context.Context) (net.Conn, error) { return dial(ctx, ns) })
	interval := s.startAlerts(t, "nflog_exporter.alerts.rules")
	s.awaitSeries(t, "nflog_rules", 2)
	s.awaitScrapes(t, 1)

	nft(t, ns, "flush ruleset")
	flushed := time.Now()
	kerneltest.Eventually(t, most, func() error {
		if got := s.firing(t, alert); len(got) != 2 || got["ssh"] == 0 || got["web"] == 0 {
			return fmt.Errorf("%s fires for %v", alert, got)
		}
		return nil
	})
	took := time.Since(flushed) + interval - evaluation // at worst
	t.Logf("%s fires after %v at worst", alert, took)
	if took > most {
		t.Errorf("%s fires after %v, want at most %v", alert, took, most)
	}

	nft(t, ns, firewall)
	kerneltest.Eventually(t, patience, func() error {
		if got := s.firing(t, alert); len(got) != 0 {
			return fmt.Errorf("%s still fires for %v", alert, got)
		}
		return nil
	})
}

// nft loads rules in a namespace.
func nft(t *testing.T, ns *netns.NS, rules string) {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, "nft"), "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	must(t, ns.Start(cmd))
	must(t, cmd.Wait())
}
