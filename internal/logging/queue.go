// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxQueued is the largest number of bytes in a queue: some thousands of lines.
	maxQueued = 1 << 20

	// retryInterval is how long a queue waits if a descriptor in non-blocking mode takes no more.
	retryInterval = 100 * time.Millisecond
)

// A Queue is an io.Writer that never waits. One goroutine writes the queued lines to the writer below it, which may take
// forever, for example a pipe that nobody reads. So a line can be logged under any lock.
//
// Lines that don't fit into the queue, or that the writer refuses, are dropped and counted. The log says how many where they
// are missing.
type Queue struct {
	out     io.Writer
	dropped prometheus.Counter
	wake    chan struct{} // has an element if lines or closed changed
	done    chan struct{} // closed when the goroutine ends

	mu     sync.Mutex // guards what follows
	lines  []queuedLine
	size   int    // bytes in lines
	missed uint64 // lines that did not fit since the last one that did
	report func(lines uint64) []byte
	closed bool
}

// A queuedLine is a line, and the number of lines that were dropped right before it.
type queuedLine struct {
	text   []byte
	missed uint64
}

// NewQueue returns a queue before w. The caller must close it.
func NewQueue(w io.Writer) *Queue {
	q := &Queue{
		out:  w,
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nflog_exporter_log_lines_dropped_total",
			Help: "Log lines dropped because standard error did not take them.",
		}),
	}
	go q.writeLines()
	return q
}

// Dropped returns the counter of dropped lines.
func (q *Queue) Dropped() prometheus.Counter { return q.dropped }

// Write implements io.Writer. It takes one line, and never fails.
func (q *Queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	fits := !q.closed && q.size+len(line) <= maxQueued
	if fits {
		q.lines = append(q.lines, queuedLine{bytes.Clone(line), q.missed})
		q.size += len(line)
		q.missed = 0
	} else {
		q.missed++
	}
	q.mu.Unlock()

	if !fits {
		q.dropped.Inc()
		return len(line), nil
	}
	q.signal()
	return len(line), nil
}

// Close waits until all queued lines are written, but no longer than the timeout. Further lines are dropped.
func (q *Queue) Close(timeout time.Duration) {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
	select {
	case <-q.done:
	case <-time.After(timeout):
	}
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// reportBy sets the function that makes a line about dropped lines.
func (q *Queue) reportBy(report func(lines uint64) []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.report = report
}

// writeLines writes lines until the queue is closed and empty.
func (q *Queue) writeLines() {
	defer close(q.done)
	w := lineWriter{out: q.out}
	var missed uint64 // lines dropped since the last that was written or told
	for {
		line, report, ok := q.next()
		if !ok {
			return
		}
		missed += line.missed
		if missed > 0 && report != nil && w.write(report(missed)) == nil {
			missed = 0
		}
		if len(line.text) > 0 && w.write(line.text) != nil {
			missed++
			q.dropped.Inc()
		}
	}
}

// next waits for the next line. Its text is empty if lines were dropped and none came after them. It returns false if the
// queue is closed and empty.
func (q *Queue) next() (line queuedLine, report func(uint64) []byte, ok bool) {
	for {
		if line, report, ok = q.take(); ok {
			return line, report, true
		}
		q.mu.Lock()
		ended := q.closed && len(q.lines) == 0
		q.mu.Unlock()
		if ended {
			return queuedLine{}, nil, false
		}
		<-q.wake
	}
}

// take takes the next line out of the queue, if there is one.
func (q *Queue) take() (line queuedLine, report func(uint64) []byte, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.lines) > 0:
		line = q.lines[0]
		q.lines[0] = queuedLine{}
		q.lines = q.lines[1:]
		q.size -= len(line.text)
	case q.missed > 0:
		line.missed, q.missed = q.missed, 0
	default:
		q.lines = nil
		return queuedLine{}, nil, false
	}
	return line, q.report, true
}

// A lineWriter writes whole lines.
type lineWriter struct {
	out  io.Writer
	torn bool // the last line was written in part
}

func (w *lineWriter) write(line []byte) error {
	if w.torn {
		line = append([]byte("\n"), line...)
	}
	for {
		n, err := w.out.Write(line)
		line = line[n:]
		w.torn = w.torn && n == 0 || err != nil && n > 0
		if !errors.Is(err, syscall.EAGAIN) {
			return err
		}
		// Another program that shares the descriptor has set it to non-blocking mode.
		time.Sleep(retryInterval)
	}
}
