// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

const (
	// historyStep is the time between two scrapes of the past.
	historyStep = 5 * time.Minute

	// silence is how long the silent instance has been so.
	silence = 70 * time.Minute
)

// A past is what Prometheus shall know of the time before the test: what an exporter has served once, as if it had served
// it around this time of the day a week ago, yesterday and today, and counted the same again each time. One of two instances goes
// silent.
type past struct {
	scrape           scrape
	instance, silent string
	now              time.Time
}

// A span is a time in which there were scrapes.
type span struct{ begin, end time.Time }

// spans returns those that alerts look back at: around this time a week ago and yesterday, and until now. Each begins where a
// block of Prometheus's does: promtool makes no block at all, if a rule is not evaluated in what there is of the first.
func (p past) spans() []span {
	var spans []span
	for _, day := range []int{7, 1, 0} {
		then := p.now.Add(-time.Duration(day) * 24 * time.Hour)
		spans = append(spans, span{then.Add(-2 * time.Hour).Truncate(2 * time.Hour), then})
		if day > 0 {
			spans[len(spans)-1].end = then.Add(15 * time.Minute) // the test goes on meanwhile
		}
	}
	return spans
}

// times returns when scrapes were.
func (p past) times() []time.Time {
	var times []time.Time
	for _, s := range p.spans() {
		for at := s.begin; at.Before(s.end); at = at.Add(historyStep) {
			times = append(times, at)
		}
		times = append(times, s.end) // what is older than five minutes, nobody sees
	}
	return times
}

// openMetrics returns the past in the format that promtool reads.
func (p past) openMetrics() string {
	var out strings.Builder
	times := p.times()
	for i, at := range times {
		p.write(&out, p.instance, i+1, at, at, times[0])
		last := at
		if quiet := p.now.Add(-silence); last.After(quiet) {
			last = quiet
		}
		p.write(&out, p.silent, i+1, at, last, times[0])
	}
	out.WriteString("# EOF\n")
	return out.String()
}

// write writes one scrape, the number-th, of an instance that was bound at a time and got its last packets at another.
func (p past) write(out *strings.Builder, instance string, number int, at, last, bound time.Time) {
	for _, name := range []string{
		"nflog_packets_total", "nflog_bytes_total", "nflog_up", "nflog_bound_timestamp_seconds", "nflog_last_packet_timestamp_seconds",
	} {
		for _, m := range p.scrape[name].GetMetric() {
			var value float64
			switch name {
			case "nflog_up":
				value = 1
			case "nflog_bound_timestamp_seconds":
				value = float64(bound.Unix())
			case "nflog_last_packet_timestamp_seconds":
				value = float64(last.Unix())
			default:
				value = float64(number) * m.GetCounter().GetValue()
			}
			fmt.Fprintf(out, "%s{job=%q,instance=%q", name, promJob, instance)
			for _, l := range m.GetLabel() {
				if l.GetValue() != "" {
					fmt.Fprintf(out, ",%s=%q", l.GetName(), l.GetValue())
				}
			}
			fmt.Fprintf(out, "} %g %d\n", value, at.Unix())
		}
	}
}

// save writes the past, with what the recording rules make of it, to a folder of data.
func (p past) save(t *testing.T, ns *netns.NS) (data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "data")
	text := filepath.Join(dir, "past")
	must(t, os.WriteFile(text, []byte(p.openMetrics()), 0o600))
	promtool(t, ns, "tsdb", "create-blocks-from", "openmetrics", text, data)

	// Rules of rules need the result of those first.
	recording, _ := rulesWith(t, historyStep)
	for range 2 {
		server := startPrometheus(t, ns, data, "")
		for _, s := range p.spans() {
			promtool(t, ns, "tsdb", "create-blocks-from", "rules", "--url="+server.URL, "--output-dir="+data,
				fmt.Sprintf("--start=%d", s.begin.Unix()), fmt.Sprintf("--end=%d", s.end.Unix()), recording)
		}
		server.stop(t)
	}
	return data
}

// promtool runs promtool inside ns.
func promtool(t *testing.T, ns *netns.NS, args ...string) {
	t.Helper()
	var out strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), promTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, kerneltest.Require(t, "promtool"), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, ns.Start(cmd))
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v failed: %v: %s", cmd.Args, err, out.String())
	}
}
