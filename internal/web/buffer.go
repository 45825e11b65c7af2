// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// limited lets h serve so many requests at a time, any number for 0, and answers further ones with 503. A request
// counts until the client has read the answer, which takes memory as long: promhttp would have its limit end before.
func limited(most int, h http.Handler) http.Handler {
	if most == 0 {
		return h
	}
	places := make(chan struct{}, most)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			h.ServeHTTP(w, req)
		default:
			http.Error(w, fmt.Sprintf("%d requests are being served already, try again later", most), http.StatusServiceUnavailable)
		}
	})
}

const (
	// maxUnread bounds the memory of answers that clients have not read yet, but for one that needs more.
	maxUnread = 32 << 20

	// minUnread is what an answer is taken for at least: the first one may be that large.
	minUnread = 1 << 20
)

// buffered answers when h has done so: nobody else can gather while metrics are written, and a client
// that reads slowly shall not keep the others waiting, unless many do. Those that take compressed answers are apart
// from those that don't, whose answers are a multiple in size.
func buffered(h http.Handler) http.Handler {
	plain, compressed := newAnswers(h), newAnswers(h)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
			compressed.ServeHTTP(w, req)
		} else {
			plain.ServeHTTP(w, req)
		}
	})
}

// answers are those of a handler that are of about the same size.
type answers struct {
	handler http.Handler
	unread  *semaphore.Weighted // in bytes
	last    atomic.Int64        // size of the last one
}

func newAnswers(h http.Handler) *answers {
	return &answers{handler: h, unread: semaphore.NewWeighted(maxUnread)}
}

// ServeHTTP implements http.Handler.
func (a *answers) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	size := min(max(a.last.Load(), minUnread), maxUnread)
	if a.unread.Acquire(req.Context(), size) != nil {
		return // the client is gone
	}
	defer a.unread.Release(size)

	b := &responseBuffer{header: w.Header(), status: http.StatusOK}
	b.body.Grow(int(a.last.Load()) + bytes.MinRead)
	a.handler.ServeHTTP(b, req)
	a.last.Store(int64(b.body.Len()))
	w.WriteHeader(b.status)
	w.Write(b.body.Bytes())
}

// A responseBuffer is a response that is not sent yet.
type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *responseBuffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *responseBuffer) WriteHeader(status int) { b.status = status }

// Write implements http.ResponseWriter.
func (b *responseBuffer) Write(p []byte) (int, error) { return b.body.Write(p) }
