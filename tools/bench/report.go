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

// measurement is the result of one reader in one round.
type measurement struct {
	cpu     time.Duration // CPU time of the reader
	counted uint64        // packets that the reader counted
	logged  uint64        // packets that the rules logged
	peak    uint64        // peak resident memory of the reader, in bytes
	flood   time.Duration // time that the host took to send and log the packets
}

// perPacket returns the CPU time per counted packet, in nanoseconds. Lost packets
// do not count, so that a reader does not look cheap because it loses packets.
func (m measurement) perPacket() float64 {
	return float64(m.cpu) / float64(m.counted)
}

// rate returns how many packets the host logged per second.
func (m measurement) rate() float64 {
	return float64(m.logged) / m.flood.Seconds()
}

// String returns the measurement's line.
func (m measurement) String() string {
	return fmt.Sprintf("%7.1f ns/packet  counted %d of %d (%s not)  peak %s  host %s logs/s",
		m.perPacket(), m.counted, m.logged, missing(m.counted, m.logged), mebibytes(float64(m.peak)), millions(m.rate()))
}

// round holds the measurements of one round by reader.
type round map[string]measurement

// summary is a reader's row of the table.
type summary struct {
	reader          string
	perPacket       float64 // median, in nanoseconds
	counted, logged uint64  // sums: a median would hide a round with a loss
	peak            float64 // median, in bytes
	rate            float64 // median

	toC, toGoNFLOG ratio
}

// ratio is the CPU time per packet of a reader divided by that of another reader
// in the same round. All fields are NaN if the other one was not measured.
type ratio struct{ median, min, max float64 }

// summarize makes a row of each reader's measurements.
func summarize(readers []string, rounds []round) []summary {
	rows := make([]summary, 0, len(readers))
	for _, name := range readers {
		s := summary{
			reader:    name,
			toC:       compare(rounds, name, readerC),
			toGoNFLOG: compare(rounds, name, readerGoNFLOG),
		}
		var perPacket, peaks, rates []float64
		for _, r := range rounds {
			m := r[name]
			s.counted += m.counted
			s.logged += m.logged
			perPacket = append(perPacket, m.perPacket())
			peaks = append(peaks, float64(m.peak))
			rates = append(rates, m.rate())
		}
		s.perPacket, s.peak, s.rate = median(perPacket), median(peaks), median(rates)
		rows = append(rows, s)
	}
	return rows
}

// compare returns the ratio of a reader to another one.
func compare(rounds []round, name, other string) ratio {
	var ratios []float64
	for _, r := range rounds {
		if o, ok := r[other]; ok {
			ratios = append(ratios, r[name].perPacket()/o.perPacket())
		}
	}
	if len(ratios) == 0 {
		return ratio{math.NaN(), math.NaN(), math.NaN()}
	}
	return ratio{median(ratios), slices.Min(ratios), slices.Max(ratios)}
}

// String returns the ratio's cell of the table.
func (r ratio) String() string {
	if math.IsNaN(r.median) {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", r.median, r.min, r.max)
}

// median returns the median of values, or NaN if there are none.
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
	b.WriteString("| reader | CPU per counted packet | ratio to c (min–max) | ratio to go-nflog (min–max) | not counted | peak memory | host logs/s |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range rows {
		fmt.Fprintf(&b, "| %s | %.1f ns | %s | %s | %s | %s | %s |\n",
			s.reader, s.perPacket, s.toC, s.toGoNFLOG, missing(s.counted, s.logged), mebibytes(s.peak), millions(s.rate))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// missing returns the share of logged packets that were not counted, in percent.
// It rounds up: 0 % means none.
func missing(counted, logged uint64) string {
	if counted == logged {
		return "0 %"
	}
	percent := 100 * (float64(logged) - float64(counted)) / float64(max(logged, 1))
	return fmt.Sprintf("%.3f %%", math.Ceil(percent*1000)/1000)
}

func mebibytes(n float64) string { return fmt.Sprintf("%.1f MiB", n/(1<<20)) }

func millions(n float64) string { return fmt.Sprintf("%.3f M", n/1e6) }
