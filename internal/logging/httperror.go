// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	stdlog "log"
	"strings"

	"github.com/go-kit/log"
)

// maxHTTPError is the largest number of bytes that are logged of an error, which may be a list of one error per series.
const maxHTTPError = 1000

// NewHTTPErrorLog returns the error log of an HTTP server or handler. It passes at most one line per 10 seconds to logger.
func NewHTTPErrorLog(logger log.Logger) *stdlog.Logger {
	return stdlog.New(&limitedWriter{logger: logger}, "", 0)
}

// RedirectStandard has the standard library's global logger write to logger, at most one line per 10 seconds. The exporter
// does not use it, but a library may, and it would wait for standard error.
func RedirectStandard(logger log.Logger) {
	stdlog.SetFlags(0)
	stdlog.SetOutput(&limitedWriter{logger: logger})
}

// A limitedWriter logs each write as a line, but only those that the limit passes.
type limitedWriter struct {
	logger log.Logger
	limit  limit
}

// Write implements io.Writer.
func (w *limitedWriter) Write(p []byte) (int, error) {
	suppressed, ok := w.limit.pass()
	if !ok {
		return len(p), nil
	}
	keyvals := []any{"msg", strings.TrimSpace(string(p[:min(len(p), maxHTTPError)]))}
	if suppressed > 0 {
		keyvals = append(keyvals, "suppressed", suppressed)
	}
	return len(p), w.logger.Log(keyvals...)
}
