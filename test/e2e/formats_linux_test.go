// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationFormats scrapes the same metrics in each exposition format.
func TestIntegrationFormats(t *testing.T) {
	began := time.Now()
	ns := kerneltest.NS(t)
	b := logOutput(t, ns, "formats")
	e := start(t, ns)
	must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
	b.check(t, e)
	want, err := e.mustScrape(t).labelSets()
	must(t, err)

	t.Run("text", func(t *testing.T) {
		body, contentType, err := e.get(t.Context(), "/metrics", "")
		must(t, err)
		if format := "text/plain; version=0.0.4"; !strings.HasPrefix(contentType, format) {
			t.Errorf("unexpected content type: got %q, want %q", contentType, format)
		}
		s, err := parseText(body)
		must(t, err)
		checkSame(t, s, want)

		cmd := exec.Command(kerneltest.Require(t, "promtool"), "check", "metrics")
		cmd.Stdin = bytes.NewReader(body)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
			t.Errorf("promtool complains: %v\n%s", err, out)
		}
	})

	t.Run("OpenMetrics", func(t *testing.T) {
		body, contentType, err := e.get(t.Context(), "/metrics", "application/openmetrics-text; version=1.0.0")
		must(t, err)
		if format := "application/openmetrics-text; version=1.0.0"; !strings.HasPrefix(contentType, format) {
			t.Errorf("unexpected content type: got %q, want %q", contentType, format)
		}
		text := string(body)
		if !strings.HasSuffix(text, "\n# EOF\n") {
			t.Error("no end of file marker")
		}
		if created := regexp.MustCompile(`(?m)^\w+_created\b.*`).FindString(text); created != "" {
			t.Errorf("the creation time is a series of its own: %s", created)
		}
		for _, line := range []string{
			"# TYPE nflog_packets counter",
			"# TYPE nflog_packet_size_bytes histogram",
			"# TYPE nflog_up gauge",
			`nflog_packets_total{family="ip",group="100",hook="output",in_interface="",out_interface="lo",prefix="formats",protocol="udp"} 3.0`,
			`nflog_packet_size_bytes_bucket{family="ip",group="100",hook="output",in_interface="",out_interface="lo",prefix="formats",protocol="udp",le="+Inf"} 3`,
		} {
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("no line %s", line)
			}
		}
	})

	t.Run("protobuf", func(t *testing.T) {
		format := expfmt.NewFormat(expfmt.TypeProtoDelim)
		body, contentType, err := e.get(t.Context(), "/metrics", string(format))
		must(t, err)
		if !strings.HasPrefix(contentType, "application/vnd.google.protobuf") {
			t.Errorf("unexpected content type: got %q, want %q", contentType, format)
		}
		s, err := decode(body, format)
		must(t, err)
		checkSame(t, s, want)
		for name, family := range s {
			// The kernel began to count what rules match, at a time that it does not say.
			if !strings.HasPrefix(name, "nflog_") || name == "nflog_rule_packets_total" {
				continue
			}
			for _, m := range family.GetMetric() {
				if err := checkCreated(m, began); err != nil {
					t.Errorf("%s%v: %v", name, labelMap(m), err)
				}
			}
		}
	})
}

// checkSame checks that a scrape has these counts.
func checkSame(t *testing.T, s scrape, want map[labels]counts) {
	t.Helper()
	got, err := s.labelSets()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected counts (-want +got):\n%s", diff)
	}
}

// decode reads metrics in an exposition format.
func decode(body []byte, format expfmt.Format) (scrape, error) {
	s := make(scrape)
	decoder := expfmt.NewDecoder(bytes.NewReader(body), format)
	for {
		var family dto.MetricFamily
		switch err := decoder.Decode(&family); {
		case errors.Is(err, io.EOF):
			return s, nil
		case err != nil:
			return nil, err
		}
		s[family.GetName()] = &family
	}
}

// checkCreated checks that a counter or a histogram has a creation time, and that
// this is not before began.
func checkCreated(m *dto.Metric, began time.Time) error {
	created := m.GetCounter().GetCreatedTimestamp()
	if m.Counter == nil {
		if m.Histogram == nil {
			return nil
		}
		created = m.GetHistogram().GetCreatedTimestamp()
	}
	if created == nil {
		return errors.New("no creation time")
	}
	if at := created.AsTime(); at.Before(began) || at.After(time.Now()) {
		return fmt.Errorf("created at %v, before the test began or later than now", at)
	}
	return nil
}
