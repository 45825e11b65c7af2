// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"maps"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A recipient is a client that reads an answer.
type recipient struct {
	answer  *answer
	client  netip.Prefix // zero if it is not from a network
	writer  http.ResponseWriter
	control *http.ResponseController
	began   time.Time
	read    atomic.Int64 // when it last took a block, in nanoseconds since 1970

	mu    sync.Mutex // guards deadlines of the response, and what follows
	ended bool       // sent, or cut off
}

func (r *recipient) lastRead() time.Time { return time.Unix(0, r.read.Load()) }

// send writes the answer until the client has it, takes nothing for too long, or is cut off.
func (r *recipient) send() {
	header := r.writer.Header()
	maps.Copy(header, r.answer.header)
	header.Set("Content-Length", strconv.Itoa(r.answer.body.size))
	r.writer.WriteHeader(r.answer.status)
	for _, block := range r.answer.body.all {
		now := time.Now()
		r.read.Store(now.UnixNano())
		if !r.extend(now) {
			return
		}
		if _, err := r.writer.Write(block); err != nil {
			return
		}
	}
}

// extend gives the client time to read a block. It returns false if the client is cut off.
//
// Not all writers have deadlines, those of tests for example.
func (r *recipient) extend(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	deadline := now.Add(stallTimeout)
	if last := r.began.Add(answerTimeout); last.Before(deadline) {
		deadline = last
	}
	_ = r.control.SetWriteDeadline(deadline)
	return true
}

// cutOff makes a write that waits for the client fail, and all later ones.
func (r *recipient) cutOff() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.ended = true
		_ = r.control.SetWriteDeadline(time.Unix(1, 0))
	}
}

// end must be called before the handler returns: then the response can't be used any more.
func (r *recipient) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}
