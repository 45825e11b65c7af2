// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestDocumentedMetric checks that docs/metrics.md has the counter of dropped lines.
func TestDocumentedMetric(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	q := NewQueue(io.Discard)
	defer q.Close(time.Second)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(q.Dropped())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		row := "| `" + f.GetName() + "` | " + strings.ToLower(f.GetType().String()) + " | none |"
		if !regexp.MustCompile("(?m)^" + regexp.QuoteMeta(row)).Match(page) {
			t.Errorf("docs/metrics.md has no row %q", row)
		}
	}
}
