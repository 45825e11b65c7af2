// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/queries"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// Labels of the exporters in Prometheus.
const (
	promJob        = "nflog"
	rareJob        = "nflog-rarely" // only in the history: it takes an hour
	instance       = "10.0.0.1:10100"
	silentInstance = "10.0.0.1:10101" // only in the history: silence takes longer than a test
)

// scrapeInterval is the value for the dashboards. The real interval is shorter, so that some scrapes may fail.
const scrapeInterval = 5 * time.Second

// A monitor is a Prometheus that monitors a site, on the host left.
type monitor struct {
	*promServer
	credentials *credentials
	rules       []string // paths
	begin       time.Time
	queries     []queries.Query // of the project
	answered    map[string]bool // queries that have returned something, by Where
	fired       map[string]bool // alerts, by name
}

// startMonitor starts a Prometheus with the project's rules. It scrapes nothing yet.
func startMonitor(t *testing.T, s *site, data string, args ...string) *monitor {
	t.Helper()
	recording, alerts := rulesWith(t, time.Second)
	m := &monitor{
		credentials: s.credentials,
		rules:       []string{recording, alerts},
		begin:       time.Now(),
		answered:    make(map[string]bool),
		fired:       make(map[string]bool),
	}
	all, err := queries.All(os.DirFS("../.."))
	must(t, err)
	for _, q := range all {
		if strings.HasPrefix(q.Where, "docs/who.md") || strings.Contains(q.Expr, "kube_") {
			continue // about addresses, which the site does not show: docs/who_test.go and test/prometheus ask them
		}
		m.queries = append(m.queries, q)
		if q.Record != "" { // the recorded series must exist, too
			m.queries = append(m.queries, queries.Query{Where: q.Where + ", recorded", Kind: queries.Instant, Expr: q.Record})
		}
	}
	m.promServer = startPrometheus(t, s.left, data, m.config(false), args...)
	return m
}

// config returns a configuration with the rules, with or without a scrape job.
func (m *monitor) config(scraping bool) string {
	config := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [%s]\n", strings.Join(m.rules, ", "))
	if !scraping {
		return config
	}
	password, _ := m.credentials.user.Password()
	return config + fmt.Sprintf(`
scrape_configs:
- job_name: %s
  scheme: https
  tls_config: {ca_file: %s}
  basic_auth: {username: %s, password: %s}
  static_configs: [{targets: [%q]}]
`, promJob, m.credentials.certificate, m.credentials.user.Username(), password, instance)
}

// awaitScrape waits until a further scrape has begun and ended.
func (m *monitor) awaitScrape(t *testing.T) {
	t.Helper()
	scrapes := func() uint64 {
		n, err := m.sumBy(t.Context(), "job", `sum by (job) (count_over_time(up[1h]))`)
		must(t, err)
		return n[promJob]
	}
	before := scrapes()
	kerneltest.Eventually(t, promTimeout, func() error {
		if scrapes() < before+2 { // one may have begun already
			return errors.New("no scrape")
		}
		return nil
	})
}

// fires reports whether an alert fires, and returns its description. It adds all firing alerts to fired.
func (m *monitor) fires(t *testing.T, name string) (description string, fires bool) {
	t.Helper()
	firing, err := m.firing(t.Context())
	must(t, err)
	for _, a := range firing {
		m.fired[a.Labels["alertname"]] = true
		for _, text := range a.Annotations {
			if text == "" || strings.Contains(text, "<") { // <no value>, <error …>
				t.Errorf("%v has the annotation %q", a.Labels, text)
			}
		}
		if a.Labels["alertname"] == name {
			description, fires = a.Annotations["description"], true
		}
	}
	return description, fires
}

// awaitAlert waits until an alert fires or has fired, and runs all queries.
func (m *monitor) awaitAlert(t *testing.T, name string) {
	t.Helper()
	kerneltest.Eventually(t, promTimeout, func() error {
		if m.fires(t, name); !m.fired[name] {
			return fmt.Errorf("%s does not fire", name)
		}
		return nil
	})
	m.ask(t)
}

// awaitReason waits until the alert NflogGroupNotBound gives that reason.
func (m *monitor) awaitReason(t *testing.T, reason string) {
	t.Helper()
	kerneltest.Eventually(t, promTimeout, func() error {
		description, fires := m.fires(t, "NflogGroupNotBound")
		if !fires || !strings.HasSuffix(description, " The reason: "+reason+".") {
			return fmt.Errorf("the description of NflogGroupNotBound is %q (fires: %v)", description, fires)
		}
		return nil
	})
	m.ask(t)
}

// awaitEnd waits until an alert no longer fires.
func (m *monitor) awaitEnd(t *testing.T, name string) {
	t.Helper()
	kerneltest.Eventually(t, promTimeout, func() error {
		if description, fires := m.fires(t, name); fires {
			return fmt.Errorf("%s fires: %s", name, description)
		}
		return nil
	})
}

// awaitAllAlerts waits until every alert fires or has fired.
func (m *monitor) awaitAllAlerts(t *testing.T) {
	t.Helper()
	kerneltest.Eventually(t, promTimeout, func() error {
		m.fires(t, "")
		var errs []error
		for _, q := range m.queries {
			if q.Alert != "" && !m.fired[q.Alert] {
				errs = append(errs, fmt.Errorf("%s does not fire", q.Alert))
			}
		}
		return errors.Join(errs...)
	})
}

// checkFiring checks that exactly these alerts fire.
func (m *monitor) checkFiring(t *testing.T, want ...string) {
	t.Helper()
	firing, err := m.firing(t.Context())
	must(t, err)
	got := make(map[string]bool)
	for _, a := range firing {
		got[a.Labels["alertname"]] = true
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("unexpected alerts (-want +got):\n%s", diff)
	}
}

// awaitTroubledCounts waits until Prometheus accounts for every packet of the troubled group that was logged since the exporter
// started; before is the count of the rules until then. A loss shows in nflog_lost_packets_total with the next packet of its
// group, which may be lost, too. So each attempt logs one more packet, and compares counts that include it.
func (m *monitor) awaitTroubledCounts(t *testing.T, s *site, before uint64) {
	t.Helper()
	selector := fmt.Sprintf(`{job=%q,instance=%q,group="%d"}`, promJob, instance, troubled)
	expr := fmt.Sprintf(
		"sum by (group) (nflog_packets_total%[1]s) + on (group) nflog_forgotten_packets_total%[1]s + on (group) nflog_lost_packets_total%[1]s",
		selector,
	)
	kerneltest.Eventually(t, promTimeout, func() error {
		must(t, traffic.UDP(s.left, netip.AddrPortFrom(routerL4, floodPort), 1, 10))
		m.awaitScrape(t)
		sums, err := m.sumBy(t.Context(), "group", expr)
		if err != nil {
			return err
		}
		if got, want := sums[strconv.Itoa(troubled)], s.countedTroubles(t)-before; got != want {
			return fmt.Errorf("%d packets are counted, forgotten or lost, but %d were logged", got, want)
		}
		return nil
	})
}

// awaitCounts waits until Prometheus has the counts of the rules. The query sized returns the packets in the histogram.
func (m *monitor) awaitCounts(t *testing.T, want tally, sized string) {
	t.Helper()
	selector := fmt.Sprintf(`job=%q,instance=%q,group="%d"`, promJob, instance, group)
	kerneltest.Eventually(t, promTimeout, func() error {
		got := make(tally)
		for expr, set := range map[string]func(*counts, uint64){
			"sum by (prefix) (nflog_packets_total{%s})": func(c *counts, n uint64) { c.Packets = n },
			"sum by (prefix) (nflog_bytes_total{%s})":   func(c *counts, n uint64) { c.Bytes = n },
			sized: func(c *counts, n uint64) { c.Sized = n },
		} {
			sums, err := m.sumBy(t.Context(), "prefix", fmt.Sprintf(expr, selector))
			if err != nil {
				return err
			}
			for prefix, n := range sums {
				c := got[prefix]
				set(&c, n)
				got[prefix] = c
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("unexpected counts (-rules +Prometheus):\n%s", diff)
		}
		return nil
	})
}

// ask runs all queries, as a user who has selected this node, and returns those without a result.
func (m *monitor) ask(t *testing.T) []queries.Query {
	t.Helper()
	now := time.Now()
	timeRange := now.Sub(m.begin)
	values := queries.Everything(promJob, instance, timeRange, scrapeInterval).
		With(queries.Values{"PREFIX": limitedPrefix, "INTERFACE": "eth0"})
	var unanswered []queries.Query
	for _, q := range m.queries {
		q, err := q.Fill(values)
		must(t, err)
		answer, err := m.Ask(t.Context(), q, now, timeRange, time.Second)
		must(t, err)
		if answer.NonZero > 0 || answer.Items > 0 && mayBeZero(q) {
			m.answered[q.Where] = true
		} else {
			unanswered = append(unanswered, q)
		}
	}
	return unanswered
}

// mayBeZero reports whether the values of a result may all be 0. That is so for a query that selects zeros, for unknown
// attributes, which no kernel sends, for the socket's queue, which is empty most of the time, and for numbers of what is new or
// unusual.
func mayBeZero(q queries.Query) bool {
	return regexp.MustCompile(`== 0\b|\bor count\(nflog_up[^)]*\) \* 0$|nflog_unknown_attributes_total|nflog_socket_queued_bytes`).MatchString(q.Expr)
}

// awaitAnswers waits until each query returns something while the site sends packets. Some queries are about conditions that are
// over: an exporter that could not be scraped, a group that was not bound, a group that was silent five minutes ago. They must
// have returned something before.
func (m *monitor) awaitAnswers(t *testing.T, s *site) {
	t.Helper()
	// Panels of what is new or unusual need data from before the time range, an hour or days ago. Others leave out what is never
	// above 0 here, and groups that have been silent for a quarter of an hour.
	history := regexp.MustCompile(`^dashboards/(.|\n)*(offset (1h|\d+ms)|:\w*rate1h|nflog_unknown_attributes_total|nflog_socket_queued_bytes|> 900|>= 0\.8)`)
	over := regexp.MustCompile(`absent\(up|\b(nflog_)?up({[^}]*})?\)? == (bool )?0|age > 1800|> 3600`)
	kerneltest.Eventually(t, promTimeout, func() error {
		s.talk(t)
		var errs []error
		for _, q := range m.ask(t) {
			if history.MatchString(q.Where + "\n" + q.Expr) {
				continue
			}
			if !m.answered[q.Where] || !over.MatchString(q.Expr) {
				errs = append(errs, fmt.Errorf("%s returns nothing:\n%s", q.Where, q.Expr))
			}
		}
		return errors.Join(errs...)
	})
}
