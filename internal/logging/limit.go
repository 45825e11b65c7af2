// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// limitInterval is the least time between two lines about what any client can cause.
const limitInterval = 10 * time.Second

// A limit passes one line per limitInterval, and counts the others: anybody who reaches the port can cause errors, and must
// not be able to fill the disk with them.
type limit struct {
	mu         sync.Mutex // guards what follows
	next       time.Time  // when a line may pass again
	suppressed int        // lines since the last that passed
}

// pass reports whether a line may pass, and how many were suppressed before it.
func (l *limit) pass() (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.next) {
		l.suppressed++
		return 0, false
	}
	suppressed = l.suppressed
	l.next, l.suppressed = now.Add(limitInterval), 0
	return suppressed, true
}

// A limitedHandler limits warnings, and errors, of libraries. The web toolkit logs an error for each request while its
// configuration file can't be read, before it checks the password. It logs information only when it starts to serve.
type limitedHandler struct {
	slog.Handler
	warnings, errors *limit
}

func newLimitedHandler(h slog.Handler) limitedHandler {
	return limitedHandler{h, new(limit), new(limit)}
}

// Handle implements slog.Handler.
func (h limitedHandler) Handle(ctx context.Context, r slog.Record) error {
	l := h.errors
	switch {
	case r.Level < slog.LevelWarn:
		return h.Handler.Handle(ctx, r)
	case r.Level < slog.LevelError:
		l = h.warnings
	}
	suppressed, ok := l.pass()
	if !ok {
		return nil
	}
	if suppressed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("suppressed", suppressed))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h limitedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	return h
}

// WithGroup implements slog.Handler.
func (h limitedHandler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}
