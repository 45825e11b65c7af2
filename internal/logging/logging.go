// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package logging makes the exporter's loggers.
package logging

import (
	"io"
	stdlog "log"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"
)

const (
	jsonFormat = "json"

	// timestampLayout is RFC 3339 with milliseconds.
	timestampLayout = "2006-01-02T15:04:05.000Z07:00"
)

// New returns the exporter's logger and one of the same format and
// filter for packages that log through log/slog. minLevel and format are
// values that --log.level and --log.format take.
func New(w io.Writer, minLevel, format string) (log.Logger, *slog.Logger) {
	w = log.NewSyncWriter(w)
	base := log.NewLogfmtLogger(w)
	if format == jsonFormat {
		base = log.NewJSONLogger(w)
	}
	now := func() time.Time { return time.Now().UTC() }
	base = log.With(base, "ts", log.TimestampFormat(now, timestampLayout))
	allow := level.Allow(level.ParseDefault(minLevel, level.InfoValue()))

	// The filter comes first, so that a line it refuses costs no look at the
	// stack; five frames lie between that look and the line's author.
	logger := level.NewFilter(log.With(base, "caller", log.Caller(5)), allow)

	// The bridge knows the caller by itself. Its own level lets all pass: what
	// is logged is the filter's to decide.
	filtered := level.NewFilter(base, allow)
	bridge := sloggokit.NewGoKitHandler(log.LoggerFunc(func(keyvals ...any) error {
		return filtered.Log(withoutTime(keyvals)...)
	}), slog.LevelDebug)

	return logger, slog.New(bridge)
}

// withoutTime drops the time that slog gives a line: the logger below writes
// one, too, under the key that all other lines have.
func withoutTime(keyvals []any) []any {
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == slog.TimeKey {
			return slices.Delete(keyvals, i, i+2)
		}
	}
	return keyvals
}

// maxHTTPError is how many bytes of an error are logged: it may be one of each series.
const maxHTTPError = 1000

// httpErrorInterval is the least time between two log lines on errors of one
// kind in serving HTTP.
const httpErrorInterval = 10 * time.Second

// NewHTTPErrorLog returns a logger of the standard library, as HTTP servers
// and handlers want it, that writes to logger at most once in every
// httpErrorInterval.
func NewHTTPErrorLog(logger log.Logger) *stdlog.Logger {
	return stdlog.New(&limitedWriter{logger: logger, interval: httpErrorInterval}, "", 0)
}

// limitedWriter turns each write into a log line, but drops and counts those
// that come within an interval after one that it passed on. Whoever reaches
// the port can cause errors at will, but shall not fill the disk with them.
type limitedWriter struct {
	logger   log.Logger
	interval time.Duration

	mu         sync.Mutex // protects what follows
	next       time.Time  // when a line may pass again
	suppressed int        // lines dropped since the last that passed
}

// Write implements io.Writer.
func (w *limitedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()

	now := time.Now()
	if now.Before(w.next) {
		w.suppressed++
		return len(p), nil
	}

	keyvals := []any{"msg", strings.TrimSpace(string(p[:min(len(p), maxHTTPError)]))}
	if w.suppressed > 0 {
		keyvals = append(keyvals, "suppressed", w.suppressed)
	}
	w.next, w.suppressed = now.Add(w.interval), 0

	return len(p), w.logger.Log(keyvals...)
}

// OneLine joins the lines of s, as some errors have several.
func OneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		parts = append(parts, strings.TrimSpace(line))
	}
	return strings.Join(parts, " ")
}
