// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// testFamilies returns families of all types that the exporter has. Some have hundreds of metrics.
func testFamilies(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	r := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "b_packets_total", Help: "A help\nof \\ two lines."}, []string{"prefix"})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "a_up", Help: "Up."})
	histogram := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "c_size_bytes", Help: "Sizes.", Buckets: []float64{10, 100}, NativeHistogramBucketFactor: 1.1,
	}, []string{"prefix"})
	r.MustRegister(counter, gauge, histogram)
	for i := range 500 {
		prefix := fmt.Sprintf("prefix\n# TYPE %d", i)
		counter.WithLabelValues(prefix).Add(float64(i))
		histogram.WithLabelValues(prefix).Observe(float64(i))
		histogram.WithLabelValues(prefix).Observe(float64(2 * i))
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// inPieces returns the families in pieces of at most n metrics.
func inPieces(families []*dto.MetricFamily, n int) Pieces {
	return func(yield func(*dto.MetricFamily) bool) {
		for _, f := range families {
			help := f.Help
			for metrics := range slices.Chunk(f.Metric, n) {
				if !yield(&dto.MetricFamily{Name: f.Name, Help: help, Type: f.Type, Metric: metrics}) {
					return
				}
				help = nil
			}
		}
	}
}

// TestWriteLikeEncoder checks that pieces are written to the byte as the encoders write whole families.
func TestWriteLikeEncoder(t *testing.T) {
	families := testFamilies(t)
	formats := []expfmt.Format{
		expfmt.NewFormat(expfmt.TypeTextPlain),
		expfmt.NewFormat(expfmt.TypeOpenMetrics),
		expfmt.NewFormat(expfmt.TypeProtoDelim),
	}
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		if Supports(format) {
			formats = append(formats, format, format+"; escaping=allow-utf-8", format+"; escaping=underscores")
		}
	}
	if len(formats) < 12 {
		t.Errorf("only %d formats are tested: %q", len(formats), formats)
	}
	for _, format := range formats {
		var want bytes.Buffer
		encoder := expfmt.NewEncoder(&want, format)
		for _, f := range families {
			if err := encoder.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := encoder.(expfmt.Closer).Close(); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 7, 499, 500, 501} {
			var got bytes.Buffer
			if err := Write(&got, format, inPieces(families, n)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want.Bytes(), got.Bytes()) {
				t.Errorf("%s, pieces of %d: %d bytes differ from the %d of whole families", format, n, got.Len(), want.Len())
			}
		}
	}
}

func TestWriteNothing(t *testing.T) {
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		if !Supports(format) {
			continue
		}
		var b bytes.Buffer
		if err := Write(&b, format, inPieces(nil, 1)); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if want := format.FormatType() == expfmt.TypeOpenMetrics; (b.String() == "# EOF\n") != want || !want && b.Len() > 0 {
			t.Errorf("%s: no metrics are written as %q", format, b.String())
		}
	}
}

// TestWriteError checks that an error of the writer ends the iteration.
func TestWriteError(t *testing.T) {
	failure := errors.New("full")
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		w := &failingWriter{err: failure}
		if err := Write(w, expfmt.NewFormat(format), inPieces(testFamilies(t), 100)); !errors.Is(err, failure) || w.writes != 1 {
			t.Errorf("format %v: %v after %d writes, want %v after the first", format, err, w.writes, failure)
		}
	}
}

type failingWriter struct {
	err    error
	writes int
}

func (f *failingWriter) Write([]byte) (int, error) {
	f.writes++
	return 0, f.err
}

func TestMerge(t *testing.T) {
	family := func(name string) *dto.MetricFamily { return &dto.MetricFamily{Name: &name} }
	families := func(names ...string) (f []*dto.MetricFamily) {
		for _, name := range names {
			f = append(f, family(name))
		}
		return f
	}
	var got []string
	for f := range Merge(families("a", "c", "e", "f"), slices.Values(families("b", "d", "d", "d"))) {
		got = append(got, f.GetName())
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "d", "d", "e", "f"}, got); diff != "" {
		t.Errorf("unexpected families (-want +got):\n%s", diff)
	}
	for stop := range 4 {
		n := 0
		for range Merge(families("a", "c"), slices.Values(families("b"))) {
			if n++; n > stop {
				break
			}
		}
	}
}
