// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

const (
	// maxUnread bounds the memory of responses that clients have not read yet. A single larger response is allowed.
	maxUnread = 32 << 20

	// minUnread is the least memory reserved per response, used until a real size is known.
	minUnread = 1 << 20
)

// buffered sends the response of h only when h has returned. While h writes metrics, nobody else can gather any, and a slow
// client must not keep the others waiting.
//
// Compressed and uncompressed responses have a bound each, since their sizes differ by a multiple.
func buffered(h http.Handler) http.Handler {
	plain, compressed := newBuffer(h), newBuffer(h)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
			compressed.ServeHTTP(w, req)
		} else {
			plain.ServeHTTP(w, req)
		}
	})
}

// A buffer holds the responses of a handler until they are read. It expects them to have about the same size.
type buffer struct {
	handler  http.Handler
	unread   *semaphore.Weighted // in bytes
	lastSize atomic.Int64
}

func newBuffer(h http.Handler) *buffer {
	return &buffer{handler: h, unread: semaphore.NewWeighted(maxUnread)}
}

// ServeHTTP implements http.Handler.
func (b *buffer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	size := min(max(b.lastSize.Load(), minUnread), maxUnread)
	if b.unread.Acquire(req.Context(), size) != nil {
		return // the client is gone
	}
	defer b.unread.Release(size)

	res := &response{header: w.Header(), status: http.StatusOK}
	res.body.Grow(int(b.lastSize.Load()) + bytes.MinRead)
	b.handler.ServeHTTP(res, req)
	b.lastSize.Store(int64(res.body.Len()))
	w.WriteHeader(res.status)
	w.Write(res.body.Bytes())
}

// A response is an http.ResponseWriter that sends nothing.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }
