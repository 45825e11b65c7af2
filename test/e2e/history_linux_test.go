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

	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/queries"
)

const (
	// historyStep is the time between two scrapes of the past.
	historyStep = 5 * time.Minute

	// silence is the time since the last packet of the silent instance.
	silence = 70 * time.Minute
)

// A history is data for a Prometheus, from before the test. It repeats one scrape of an exporter around this time of the day 8
// days ago, yesterday and today. The counters grow by the same amount from scrape to scrape. Of its two instances, one becomes
// silent. Another job is scraped rarely.
type history struct {
	scrape           scrape
	instance, silent string
	now              time.Time
}

// A span is a time range with scrapes.
type span struct{ begin, end time.Time }

// spans returns the time ranges that alerts look back at: around this time 8 days ago and yesterday, and until now. Each begins
// at the border of a block of Prometheus, because promtool makes no block at all if a rule has no result in the first one.
func (h history) spans() []span {
	var spans []span
	for _, day := range []int{8, 1, 0} {
		then := h.now.Add(-time.Duration(day) * 24 * time.Hour)
		spans = append(spans, span{then.Add(-2 * time.Hour).Truncate(2 * time.Hour), then})
		if day > 0 {
			spans[len(spans)-1].end = then.Add(15 * time.Minute) // the test takes some minutes
		}
	}
	return spans
}

// times returns the times of the scrapes.
func (h history) times() []time.Time {
	var times []time.Time
	for _, s := range h.spans() {
		for at := s.begin; at.Before(s.end); at = at.Add(historyStep) {
			times = append(times, at)
		}
		times = append(times, s.end) // Prometheus ignores samples older than five minutes
	}
	return times
}

// openMetrics returns the history in the OpenMetrics format, for promtool.
func (h history) openMetrics() string {
	var out strings.Builder
	times := h.times()
	for i, at := range times {
		h.write(&out, h.instance, i+1, at, at, times[0])
		last := at
		if quiet := h.now.Add(-silence); last.After(quiet) {
			last = quiet
		}
		h.write(&out, h.silent, i+1, at, last, times[0])
		if at.Before(h.now.Add(-10 * time.Minute)) { // so that it has no target now
			fmt.Fprintf(&out, "up{job=%q,instance=%q} 1 %d\n", rareJob, h.instance, at.Unix())
		}
	}
	out.WriteString("# EOF\n")
	return out.String()
}

// write writes the number-th scrape of an instance. The group was bound at the time bound and had its last packet at last.
func (h history) write(out *strings.Builder, instance string, number int, at, last, bound time.Time) {
	for _, name := range []string{
		"nflog_packets_total", "nflog_bytes_total", "nflog_up", "nflog_bound_timestamp_seconds", "nflog_last_packet_timestamp_seconds",
	} {
		for _, m := range h.scrape[name].GetMetric() {
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

// save writes the history and the results of the recording rules to a data directory.
func (h history) save(t *testing.T, ns *netns.NS) (data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "data")
	text := filepath.Join(dir, "history")
	must(t, os.WriteFile(text, []byte(h.openMetrics()), 0o600))
	promtool(t, ns, "tsdb", "create-blocks-from", "openmetrics", text, data)

	for i, rules := range recordingLayers(t) {
		server := startPrometheus(t, ns, data, "")
		recording := filepath.Join(dir, fmt.Sprintf("layer%d.yml", i))
		must(t, os.WriteFile(recording, rules, 0o600))
		for _, s := range h.spans() {
			promtool(t, ns, "tsdb", "create-blocks-from", "rules", "--url="+server.URL, "--output-dir="+data,
				fmt.Sprintf("--start=%d", s.begin.Unix()), fmt.Sprintf("--end=%d", s.end.Unix()), recording)
		}
		server.stop(t)
	}
	return data
}

// recordingLayers returns files with the project's recording rules, for one promtool run after another: rules use the results of
// rules in the files before.
func recordingLayers(t *testing.T) (files [][]byte) {
	t.Helper()
	type rule struct{ Record, Expr string }
	var layers [][]rule
	all, err := queries.All(os.DirFS("../.."))
	must(t, err)
	layerOf := make(map[string]int) // by name of the record
	for _, q := range all {
		if q.Record == "" {
			continue
		}
		layer := 0
		for _, metric := range q.Names().Metrics {
			if l, recorded := layerOf[metric]; recorded {
				layer = max(layer, l+1)
			}
		}
		layerOf[q.Record] = layer
		for len(layers) <= layer {
			layers = append(layers, nil)
		}
		layers[layer] = append(layers[layer], rule{q.Record, q.Expr})
	}
	if len(layers) != 5 {
		t.Errorf("%d layers, but docs/alerts.md tells to run promtool five times", len(layers))
	}
	for _, rules := range layers {
		file, err := yaml.Marshal(map[string]any{"groups": []any{
			map[string]any{"name": "layer", "interval": historyStep.String(), "rules": rules},
		}})
		must(t, err)
		files = append(files, file)
	}
	return files
}

// promtool runs promtool inside ns.
func promtool(t *testing.T, ns *netns.NS, args ...string) {
	t.Helper()
	var out strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), promTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, kerneltest.Require(t, "promtool"), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "GOGC=400") // it is done in seconds, and has memory enough
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, ns.Start(cmd))
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v failed: %v: %s", cmd.Args, err, out.String())
	}
}
