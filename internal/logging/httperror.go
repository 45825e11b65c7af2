// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	stdlog "log"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
)

const (
	// httpErrorInterval is the least time between two lines of an HTTP error log.
	httpErrorInterval = 10 * time.Second

	// maxHTTPError is the largest number of bytes that are logged of an error, which may be a list of one error per series.
	maxHTTPError = 1000
)

// NewHTTPErrorLog returns the error log of an HTTP server or handler. It passes at most one line per 10 seconds to logger.
func NewHTTPErrorLog(logger log.Logger) *stdlog.Logger {
	return stdlog.New(&limitedWriter{logger: logger, interval: httpErrorInterval}, "", 0)
}

// A limitedWriter logs each write as a line, but at most one per interval. It drops and counts the others: anybody who
// reaches the port can cause errors, and must not be able to fill the disk with them.
type limitedWriter struct {
	logger   log.Logger
	interval time.Duration

	mu         sync.Mutex // guards the fields below
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
