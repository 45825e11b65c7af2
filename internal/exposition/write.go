// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package exposition writes metrics in the formats that Prometheus scrapes, while they are made: the encoders of
// prometheus/common need all metrics of a family in memory, which takes many times as much as the text.
package exposition

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// Pieces are metric families, each in one or more pieces, one after the other. Only the first piece has a help text. A piece is
// valid until the next one.
type Pieces = iter.Seq[*dto.MetricFamily]

// Merge puts whole families, sorted by name, among pieces that are sorted by name, too.
func Merge(families []*dto.MetricFamily, pieces Pieces) Pieces {
	return func(yield func(*dto.MetricFamily) bool) {
		rest := families
		for piece := range pieces {
			for len(rest) > 0 && rest[0].GetName() < piece.GetName() {
				if !yield(rest[0]) {
					return
				}
				rest = rest[1:]
			}
			if !yield(piece) {
				return
			}
		}
		for _, family := range rest {
			if !yield(family) {
				return
			}
		}
	}
}

// Supports reports whether Write can write a format. The other ones are for people, and need whole families.
func Supports(format expfmt.Format) bool {
	switch format.FormatType() {
	case expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim:
		return true
	default:
		return false
	}
}

// Write writes metrics as the encoder of the format does.
func Write(w io.Writer, format expfmt.Format, pieces Pieces) error {
	if format.FormatType() == expfmt.TypeProtoDelim {
		return writeDelimited(w, format.ToEscapingScheme(), pieces)
	}
	return writeText(w, format, pieces)
}

// writeText writes a format in which a family has lines about it, and then a line for each sample.
func writeText(w io.Writer, format expfmt.Format, pieces Pieces) error {
	out := &lineSkipper{w: w}
	encoder := expfmt.NewEncoder(out, format)
	name := ""
	for piece := range pieces {
		// Without a help text, the only line about the family is its type.
		out.skip = piece.GetName() == name
		name = piece.GetName()
		if err := encoder.Encode(piece); err != nil {
			return err
		}
	}
	if closer, ok := encoder.(expfmt.Closer); ok {
		out.skip = false
		return closer.Close()
	}
	return nil
}

// A lineSkipper writes all but the next line, if skip is set.
type lineSkipper struct {
	w    io.Writer
	skip bool
}

// Write implements io.Writer.
func (s *lineSkipper) Write(p []byte) (int, error) {
	n := len(p)
	if s.skip {
		_, after, found := bytes.Cut(p, []byte("\n"))
		if !found {
			return n, nil
		}
		s.skip = false
		p = after
	}
	if _, err := s.w.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}

// writeDelimited writes messages that each have their length in front. A message of protobuf is the concatenation of its pieces.
func writeDelimited(w io.Writer, scheme model.EscapingScheme, pieces Pieces) error {
	var message [][]byte // of one family, piece by piece
	size := 0
	flush := func() error {
		for _, p := range append([][]byte{binary.AppendUvarint(nil, uint64(size))}, message...) {
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
		message, size = nil, 0
		return nil
	}
	name := ""
	for piece := range pieces {
		if piece.GetName() == name {
			piece = &dto.MetricFamily{Metric: piece.Metric}
		} else {
			if len(message) > 0 {
				if err := flush(); err != nil {
					return err
				}
			}
			name = piece.GetName()
		}
		p, err := proto.Marshal(model.EscapeMetricFamily(piece, scheme))
		if err != nil {
			return err
		}
		message, size = append(message, p), size+len(p)
	}
	if len(message) == 0 {
		return nil
	}
	return flush()
}
