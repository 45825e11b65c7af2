// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync/atomic"
	"time"
)

// Batches iterates over the batches until the context is done. Then it calls Unbind, so that the loop still gets
// everything that was logged until then, and ends without an error. It also ends like this after a call of Unbind
// elsewhere.
//
// Any other error of Receive or Unbind is the last one that the loop gets, together with a nil Batch. So a loop ends
// where it returns at an error.
//
// A batch and its packets are borrowed: they are valid until the next iteration. If the loop stops early, the group
// stays bound, and another loop can continue.
func (r *Reader) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		var unbindErr atomic.Pointer[error]
		stop := context.AfterFunc(ctx, func() {
			if err := r.Unbind(); err != nil {
				unbindErr.Store(&err)
				_ = r.socket.setReadDeadline(time.Unix(1, 0)) // wakes Receive; fails only on a closed socket
			}
		})
		defer stop()
		for {
			batch, err := r.Receive()
			if failed := unbindErr.Load(); failed != nil {
				batch, err = nil, *failed
			}
			if errors.Is(err, io.EOF) || !yield(batch, err) || err != nil {
				return
			}
		}
	}
}
