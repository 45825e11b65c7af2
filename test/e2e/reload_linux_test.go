// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// applied is the log message after a successful reload.
const applied = "Configuration file applied"

// A configFile is the exporter's configuration file.
type configFile struct{ path string }

// newConfigFile writes a configuration file.
func newConfigFile(t *testing.T, text string) configFile {
	t.Helper()
	f := configFile{filepath.Join(t.TempDir(), "nflog.yml")}
	f.write(t, text)
	return f
}

// write replaces the file atomically.
func (f configFile) write(t *testing.T, text string) {
	t.Helper()
	must(t, f.replace(text))
}

// replace is like write, for other goroutines than the test's.
func (f configFile) replace(text string) error {
	if err := os.WriteFile(f.path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(f.path+".new", f.path)
}

// hangup sends SIGHUP and waits until the log has one more line with message.
func (e *exporter) hangup(t *testing.T, message string) {
	t.Helper()
	before := len(e.log.lines(message))
	e.signal(t, syscall.SIGHUP)
	kerneltest.Eventually(t, bookTimeout, func() error {
		if len(e.log.lines(message)) == before {
			return fmt.Errorf("the log has no new line with %q", message)
		}
		return nil
	})
}

// reload reloads by HTTP and checks the status and the body of the response.
func (e *exporter) reload(t *testing.T, status int, want string) {
	t.Helper()
	got, _, body, err := e.request(t.Context(), http.MethodPost, "/-/reload", "")
	must(t, err)
	if got != status {
		t.Errorf("unexpected status of a reload: got %d, want %d", got, status)
	}
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("unexpected response to a reload (-want +got):\n%s", diff)
	}
}

// TestIntegrationReload reloads valid and invalid files, by SIGHUP and by HTTP.
func TestIntegrationReload(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	sink(t, ns)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	output.Log(group, "fw wan drop", nftrules.UDPPort(discard))
	output.Log(101, "other group", nftrules.UDPPort(discard))
	must(t, rs.Apply())
	file := newConfigFile(t, "groups: [{group: 100}]\n")
	e := start(t, ns, "--config.file="+file.path, "--web.enable-lifecycle", "--nflog.queue-timeout=10ms")

	const zones = "prefix_rules: [{match: 'fw (?P<zone>\\w+) (?P<verdict>drop|reject)'}]\n"
	check := func(step string, success float64, labels []string, want map[string]uint64) {
		t.Helper()
		must(t, traffic.UDP(ns, toPort(loopback4), 10, 10))
		e.eventually(t, bookTimeout, func(s scrape) error {
			got := s.sumBy("nflog_packets_total", labels...)
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("%s: unexpected counts (-want +got):\n%s", step, diff)
			}
			return errors.Join(
				s.expect(1, "nflog_up"),
				s.expect(1, "nflog_binds_total"),
				s.expect(0, "nflog_lost_packets_total"),
				s.expectOwn(success, "nflog_exporter_config_last_reload_successful"),
			)
		})
	}
	byZone := []string{"group", "prefix", "zone", "verdict"}

	check("start", 1, byZone, map[string]uint64{"100/fw wan drop//": 10})
	file.write(t, "groups: [{group: 100}]\n"+zones)
	e.hangup(t, applied)
	check("a label, on a signal", 1, byZone, map[string]uint64{"100/fw wan drop//": 10, "100/fw wan drop/wan/drop": 10})

	file.write(t, "groups: [{group: 100}, {group: 1000000}]\nprefix_rules: [{match: '('}]\n")
	diagnostics := file.path + ":1:32: group=\"1000000\": must be a number from 0 to 65535\n" +
		file.path + ":2:24: match=\"(\": must be a regular expression in RE2's syntax: missing closing ): \"(\"\n"
	const bad = "The configuration file can't be used. The last one stays in force."
	before := e.mustScrape(t).ownValue("nflog_exporter_config_last_reload_success_timestamp_seconds")
	e.hangup(t, bad)
	if lines := e.log.lines(bad); len(lines) != 1 || !strings.Contains(lines[0], "level=error") || !strings.Contains(lines[0], ":2:24: match") {
		t.Errorf("want one error in the log with the mistakes, got %q", lines)
	}
	check("a bad one, on a signal", 0, byZone, map[string]uint64{"100/fw wan drop//": 10, "100/fw wan drop/wan/drop": 20})
	e.reload(t, http.StatusInternalServerError, diagnostics)
	check("a bad one, by HTTP", 0, byZone, map[string]uint64{"100/fw wan drop//": 10, "100/fw wan drop/wan/drop": 30})
	if after := e.mustScrape(t).ownValue("nflog_exporter_config_last_reload_success_timestamp_seconds"); after != before {
		t.Errorf("unexpected time of the last success: got %v, before it was %v", after, before)
	}

	file.write(t, "groups: [{group: 101}, {group: 100}]\n"+zones)
	e.reload(t, http.StatusOK, "ok\n")
	e.eventually(t, bookTimeout, func(s scrape) error {
		if up := s.sumBy("nflog_up", "group")["101"]; up != 1 {
			return errors.New("the new group is not up")
		}
		return nil
	})
	check("another group", 1, byZone, map[string]uint64{"100/fw wan drop//": 10, "100/fw wan drop/wan/drop": 40, "101/other group//": 10})

	// Label sets that had a value for a removed label are dropped.
	file.write(t, "groups: [{group: 100}]\n")
	e.hangup(t, applied)
	check("no labels", 1, byZone, map[string]uint64{"100/fw wan drop//": 20})
	if after := e.mustScrape(t).ownValue("nflog_exporter_config_last_reload_success_timestamp_seconds"); after <= before {
		t.Errorf("unexpected time of the last success: got %v, before it was %v", after, before)
	}
	if lines := e.log.lines("Group bound"); len(lines) != 2 {
		t.Errorf("want each group to be bound once, got %q", lines)
	}
}

// TestIntegrationReloadFlood reloads many times while 200,000 packets a second are logged. Each reload adds a label. No packet
// is lost, and no counter restarts.
func TestIntegrationReloadFlood(t *testing.T) {
	const (
		rate   = 200_000
		buffer = 256 << 20
	)
	ns, b := floodable(t)
	file := newConfigFile(t, "")
	e := start(t, ns, "--config.file="+file.path, "--web.enable-lifecycle", fmt.Sprintf("--nflog.socket-buffer=%d", buffer))
	stop := floodAt(t, ns, loopback4, rate/floodRules)

	e.eventually(t, bookTimeout, func(s scrape) error { return s.expect(floodRules, "nflog_label_sets") })
	samples := e.samples(t)
	config := "prefix_rules:\n"
	for i := range floodRules {
		config += fmt.Sprintf("- {match: 'rule (?P<number%d>%d)'}\n", i, i)
		file.write(t, config+fmt.Sprintf("groups: [{group: 100, copy_range: %d, queue_timeout: %dms, queue_threshold: %d}]\n", 64+i, 10+10*i, 1000-i))
		if i%2 == 0 {
			e.reload(t, http.StatusOK, "ok\n")
		} else {
			e.hangup(t, applied)
		}
		e.eventually(t, bookTimeout, func(s scrape) error {
			if n := s.sumBy("nflog_packets_total", fmt.Sprintf("number%d", i))[fmt.Sprint(i)]; n == 0 {
				return fmt.Errorf("no packet has the new label of rule %d", i)
			}
			return nil
		})
		before := samples
		samples = e.samples(t)
		checkContinuous(t, before, samples)
	}
	sent, took := stop()
	logOneMore(t, ns, e)

	logged, s := b.balance(t, e)
	if err := errors.Join(
		s.expect(1, "nflog_binds_total"),
		s.expect(2*floodRules, "nflog_label_sets"),
		s.expect(0, "nflog_overflow_packets_total"),
	); err != nil {
		t.Error(err)
	}
	if s.value("nflog_socket_buffer_bytes") >= 2*buffer { // else the buffer is too small for slow machines
		if err := s.expect(0, "nflog_lost_packets_total"); err != nil {
			t.Error(err)
		}
	}
	if s.value("nflog_lost_packets_total") == 0 {
		want := make(map[string]uint64)
		for l, c := range logged {
			want[l.Prefix] = c.Packets
		}
		if diff := cmp.Diff(want, s.sumBy("nflog_packets_total", "prefix")); diff != "" {
			t.Errorf("unexpected counts (-rules +exporter):\n%s", diff)
		}
	}
	t.Logf("%d reloads while %.0f packets were logged, %.0f a second", floodRules, s.packets(), float64(sent*floodRules)/took.Seconds())
}
