// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package logging makes the exporter's loggers.
package logging

import (
	"bytes"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"
)

// timestampLayout is RFC 3339 with milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z07:00"

// New returns the exporter's logger, and one for packages that use log/slog. Both write lines of the same format to w, and
// drop those below minLevel: debug, info, warn or error. The format is logfmt or json. The second logger passes one warning
// and one error per 10 seconds.
//
// If w is a [Queue], its reports on dropped lines get that format, too.
func New(w io.Writer, minLevel, format string) (log.Logger, *slog.Logger) {
	if q, ok := w.(*Queue); ok {
		q.reportBy(func(lines uint64) []byte { return droppedReport(format, lines) })
	}
	base := newBase(log.NewSyncWriter(w), format)
	allow := level.Allow(level.ParseDefault(minLevel, level.InfoValue()))

	// The filter comes first: a line that it drops does not cost a stack trace. Five frames lie between the trace and the
	// caller.
	logger := level.NewFilter(log.With(base, "caller", log.Caller(5)), allow)

	// The bridge adds the caller itself. It passes all levels on, since the filter decides.
	filtered := level.NewFilter(base, allow)
	bridge := sloggokit.NewGoKitHandler(log.LoggerFunc(func(keyvals ...any) error {
		return filtered.Log(withoutTime(keyvals)...)
	}), slog.LevelDebug)

	return logger, slog.New(newLimitedHandler(bridge))
}

// newBase returns a logger that adds the time.
func newBase(w io.Writer, format string) log.Logger {
	base := log.NewLogfmtLogger(w)
	if format == "json" {
		base = log.NewJSONLogger(w)
	}
	now := func() time.Time { return time.Now().UTC() }
	return log.With(base, "ts", log.TimestampFormat(now, timestampLayout))
}

// droppedReport returns a line about dropped lines. It is an error, so that it passes each filter: they may have been
// errors.
func droppedReport(format string, lines uint64) []byte {
	var b bytes.Buffer
	logger := log.With(newBase(&b, format), "caller", log.DefaultCaller)
	logger.Log("level", level.ErrorValue(), "msg", "Log lines were dropped, because standard error did not take them", "lines", lines)
	return b.Bytes()
}

// withoutTime removes slog's time. The logger below adds one under the key that all lines have.
func withoutTime(keyvals []any) []any {
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == slog.TimeKey {
			return slices.Delete(keyvals, i, i+2)
		}
	}
	return keyvals
}
