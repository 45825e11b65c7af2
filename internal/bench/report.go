// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// measurement is what one reader did in one round.
type measurement struct {
	cpu     time.Duration // The reader's time on the CPU.
	counted uint64        // Packets that it counted.
	logged  uint64        // Packets that the rules logged.
	peak    uint64        // The most memory that it had resident, in bytes.
	flood   time.Duration // How long the host took to send and log the packets.
}

// perPacket returns the nanoseconds of CPU per packet counted. Packets that a
// reader lost are not divided by: losing them is no way of being cheap.
func (m measurement) perPacket() float64 {
	return float64(m.cpu) / float64(m.counted)
}

// rate returns how many packets the host logged per second.
func (m measurement) rate() float64 {
	return float64(m.logged) / m.flood.Seconds()
}

// String returns the measurement's line.
func (m measurement) String() string {
	return fmt.Sprintf("%7.1f ns/packet  counted %d of %d (%s)  peak %s  host %s logs/s",
		m.perPacket(), m.counted, m.logged, share(m.counted, m.logged), mebibytes(float64(m.peak)), millions(m.rate()))
}

// round holds the measurements of one round by reader.
type round map[string]measurement

// summary is a reader's row of the table.
type summary struct {
	reader          string
	perPacket       float64 // Median, in nanoseconds.
	counted, logged uint64  // Sums: a median would hide the round with a loss.
	peak            float64 // Median, in bytes.
	rate            float64 // Median.

	// Nanoseconds per packet over those of the C reader in the same round.
	// All are NaN without a C reader.
	ratio, minRatio, maxRatio float64
}

// summarize makes a row of each reader's measurements.
func summarize(readers []string, rounds []round) []summary {
	rows := make([]summary, 0, len(readers))
	for _, name := range readers {
		s := summary{reader: name}
		var perPacket, peaks, rates, ratios []float64
		for _, r := range rounds {
			m := r[name]
			s.counted += m.counted
			s.logged += m.logged
			perPacket = append(perPacket, m.perPacket())
			peaks = append(peaks, float64(m.peak))
			rates = append(rates, m.rate())
			if c, ok := r[readerC]; ok {
				ratios = append(ratios, m.perPacket()/c.perPacket())
			}
		}
		s.perPacket, s.peak, s.rate = median(perPacket), median(peaks), median(rates)
		s.ratio, s.minRatio, s.maxRatio = median(ratios), math.NaN(), math.NaN()
		if len(ratios) > 0 {
			s.minRatio, s.maxRatio = slices.Min(ratios), slices.Max(ratios)
		}
		rows = append(rows, s)
	}
	return rows
}

// median returns the middle of values, the mean of the two in the middle where
// their number is even, and NaN where there are none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 0:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	default:
		return sorted[n/2]
	}
}

// writeTable writes rows as a table in Markdown.
func writeTable(w io.Writer, rows []summary) error {
	var b strings.Builder
	b.WriteString("| reader | CPU per counted packet | counted | peak memory | host logs/s | ratio to C (min–max) |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|\n")
	for _, s := range rows {
		ratio := "–"
		if !math.IsNaN(s.ratio) {
			ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", s.ratio, s.minRatio, s.maxRatio)
		}
		fmt.Fprintf(&b, "| %s | %.1f ns | %s | %s | %s | %s |\n",
			s.reader, s.perPacket, share(s.counted, s.logged), mebibytes(s.peak), millions(s.rate), ratio)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// share returns a part in percent, cut rather than rounded: 100 % means all.
func share(part, whole uint64) string {
	if part == whole {
		return "100 %"
	}
	percent := 100 * float64(part) / float64(max(whole, 1))
	return fmt.Sprintf("%.3f %%", math.Floor(percent*1000)/1000)
}

func mebibytes(n float64) string { return fmt.Sprintf("%.1f MiB", n/(1<<20)) }

func millions(n float64) string { return fmt.Sprintf("%.3f M", n/1e6) }
