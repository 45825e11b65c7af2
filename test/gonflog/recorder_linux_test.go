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

// unparsed is the prefix of go-nflog's log line about a message that it can't parse and drops.
const unparsed = "Could not parse message: "

// messages are the results of a library for some messages.
type messages struct {
	packets []nflog.Attribute // arguments of its hook
	log     []string          // its debug log
}

// count returns the number of messages.
func (m messages) count() int {
	n := len(m.packets)
	for _, line := range m.log {
		if strings.HasPrefix(line, unparsed) {
			n++
		}
	}
	return n
}

// A recorder records the results of a library. It is the library's hook, error
// function and logger.
type recorder struct {
	mu       sync.Mutex
	messages messages // since the last take
	errs     []string
	ended    bool
}

func (r *recorder) hook(a nflog.Attribute) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages.packets = append(r.messages.packets, a)
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
	r.messages.log = append(r.messages.log, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Errorf implements the Logger of both libraries.
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.errs = append(r.errs, fmt.Sprintf(format, args...))
	}
}

// await returns an error unless there are exactly want messages and no errors.
func (r *recorder) await(want int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := r.messages.count(); got != want || len(r.errs) > 0 {
		return fmt.Errorf("%d messages, want %d; errors: %q", got, want, r.errs)
	}
	return nil
}

// take returns the messages since the last call.
func (r *recorder) take() messages {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.messages
	r.messages = messages{}
	return taken
}

// end ends the recording of errors: later ones are due to the end of the reading.
func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// checkEnd checks, after the end of the reading, that all messages were taken and
// that there were no errors.
func (r *recorder) checkEnd(t testing.TB, library string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.messages.packets); n != 0 || len(r.messages.log) != 0 || len(r.errs) != 0 {
		t.Errorf("at the end of %s: %d more packets, log %q, errors %q", library, n, r.messages.log, r.errs)
	}
}
