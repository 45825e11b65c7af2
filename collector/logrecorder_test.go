// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"sync"

	"github.com/go-kit/log"
)

// A logRecorder is a logger that keeps what is logged.
type logRecorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *logRecorder) Log(keyvals ...any) error {
	var b strings.Builder
	if err := log.NewLogfmtLogger(&b).Log(keyvals...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, b.String())
	return nil
}

// with returns the lines that contain all of these texts.
func (r *logRecorder) with(texts ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, line := range r.lines {
		if containsAll(line, texts...) {
			found = append(found, line)
		}
	}
	return found
}

func containsAll(s string, texts ...string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}
