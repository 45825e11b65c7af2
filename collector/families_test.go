// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestUnits checks the units in the OpenMetrics format, which has those that names end with.
func TestUnits(t *testing.T) {
	f := newFeed(t, Config{})
	datagram, _ := nflogtest.Datagram(100)
	f.countDatagram(datagram)

	var b bytes.Buffer
	for _, family := range gatherFamilies(t, f.collector) {
		if _, err := expfmt.MetricFamilyToOpenMetrics(&b, family); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		if unit, ok := strings.CutPrefix(line, "# UNIT "); ok {
			got = append(got, strings.TrimSpace(unit))
		}
	}
	slices.Sort(got)
	want := []string{
		"nflog_bytes bytes", "nflog_last_packet_timestamp_seconds seconds", "nflog_packet_size_bytes bytes",
		"nflog_socket_buffer_bytes bytes", "nflog_socket_queued_bytes bytes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected units (-want +got):\n%s", diff)
	}
}
