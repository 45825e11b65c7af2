// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// unparsed begins what go-nflog logs of a message that it can't parse and drops.
const unparsed = "Could not parse message: "

// A reading is what a library made of messages.
type reading struct {
	packets []nflog.Attribute // what its hook was called with
	log     []string          // what it logged for debugging
}

// messages returns how many messages those were.
func (r reading) messages() int {
	n := len(r.packets)
	for _, line := range r.log {
		if strings.HasPrefix(line, unparsed) {
			n++
		}
	}
	return n
}

// A recorder keeps what a library reads, as its hook, its error function and its
// logger.
type recorder struct {
	mu      sync.Mutex
	reading reading // since the last take
	errs    []string
	ended   bool
}

func (r *recorder) hook(a nflog.Attribute) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading.packets = append(r.reading.packets, a)
	return 0
}

func (r *recorder) failed(err error) int {
	r.Errorf("%v", err)
	return 0
}

// Debugf implements the Logger of both libraries.
func (r *recorder) Debugf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading.log = append(r.reading.log, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Errorf implements the Logger of both libraries.
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.errs = append(r.errs, fmt.Sprintf(format, args...))
	}
}

// await returns an error until there are so many messages, or if something has
// failed.
func (r *recorder) await(messages int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := r.reading.messages(); got != messages || len(r.errs) > 0 {
		return fmt.Errorf("%d messages, want %d; errors: %q", got, messages, r.errs)
	}
	return nil
}

// take returns what was read since the last call.
func (r *recorder) take() reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.reading
	r.reading = reading{}
	return taken
}

// end ends the recording of errors: those to come are of the end of reading.
func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// checkEnd checks, when the reading has ended, that everything was taken and
// nothing has failed.
func (r *recorder) checkEnd(t testing.TB, library string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.reading.packets); n != 0 || len(r.reading.log) != 0 || len(r.errs) != 0 {
		t.Errorf("at the end of %s: %d more packets, log %q, errors %q", library, n, r.reading.log, r.errs)
	}
}
