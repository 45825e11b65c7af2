// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log/level"
	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
)

// A pipe is a writer that can be full or broken.
type pipe struct {
	full chan struct{} // while not nil and not closed, a write waits

	mu      sync.Mutex // guards what follows
	err     error
	partial int // bytes written before err
	written bytes.Buffer
}

func (p *pipe) Write(b []byte) (int, error) {
	if p.full != nil {
		<-p.full
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		n, _ := p.written.Write(b[:min(p.partial, len(b))])
		return n, p.err
	}
	return p.written.Write(b)
}

func (p *pipe) set(err error, partial int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.partial = err, partial
}

func droppedLines(t *testing.T, q *Queue) int {
	t.Helper()
	var m dto.Metric
	if err := q.Dropped().Write(&m); err != nil {
		t.Fatal(err)
	}
	return int(m.GetCounter().GetValue())
}

// reported replaces reports about dropped lines by short ones.
func reported(s string) string {
	line := regexp.MustCompile(`ts=\S+ caller=logging\.go:\d+ level=error msg="Log lines were dropped, because standard error did not take them" lines=(\d+)`)
	return line.ReplaceAllString(s, "[$1 dropped]")
}

// TestQueueFull fills the queue while nobody reads: no line waits, and the first ones are written later. The report is where
// lines are missing.
func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := pipe{full: make(chan struct{})}
		q := NewQueue(&out)
		New(q, "info", "logfmt")
		fmt.Fprintln(q, "taken by the writer")
		synctest.Wait()
		line := strings.Repeat("x", maxQueued/4-1)
		for range 10 {
			fmt.Fprintln(q, line)
		}
		if got, want := droppedLines(t, q), 6; got != want {
			t.Errorf("%d lines dropped, want %d", got, want)
		}
		close(out.full)
		synctest.Wait()
		fmt.Fprintln(q, "later")
		q.Close(time.Second)

		want := "taken by the writer\n" + strings.Repeat(line+"\n", 4) + "[6 dropped]\nlater\n"
		if diff := cmp.Diff(want, reported(out.written.String())); diff != "" {
			t.Errorf("unexpected lines (-want +got):\n%s", diff)
		}
		if got, want := droppedLines(t, q), 6; got != want {
			t.Errorf("%d lines dropped, want %d", got, want)
		}
	})
}

// TestQueueRefused has a writer that fails for a while.
func TestQueueRefused(t *testing.T) {
	for _, partial := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			var out pipe
			q := NewQueue(&out)
			logger, _ := New(q, "error", "logfmt")
			out.set(syscall.EPIPE, partial)
			level.Info(logger).Log("msg", "filtered")
			for range 5 {
				fmt.Fprintln(q, "refused")
				synctest.Wait()
			}
			out.set(nil, 0)
			fmt.Fprintln(q, "taken")
			q.Close(time.Second)

			want := "[5 dropped]\ntaken\n"
			got := reported(out.written.String())
			if partial > 0 {
				_, got, _ = strings.Cut(got, "\n[") // each torn line ends before the next one
				got = "[" + got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected lines (-want +got):\n%s", diff)
			}
			if got, want := droppedLines(t, q), 5; got != want {
				t.Errorf("%d lines dropped, want %d", got, want)
			}
		})
	}
}

// TestQueueNonBlocking has a descriptor in non-blocking mode that takes a part of a line at a time.
func TestQueueNonBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out pipe
		q := NewQueue(&out)
		out.set(syscall.EAGAIN, 2)
		fmt.Fprintln(q, "12345678")
		time.Sleep(2*retryInterval + retryInterval/2)
		out.set(nil, 0)
		fmt.Fprintln(q, "next")
		q.Close(time.Second)
		if diff := cmp.Diff("12345678\nnext\n", out.written.String()); diff != "" {
			t.Errorf("unexpected lines (-want +got):\n%s", diff)
		}
	})
}

func TestQueueCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := pipe{full: make(chan struct{})}
		q := NewQueue(&out)
		fmt.Fprintln(q, "line")
		start := time.Now()
		q.Close(time.Second)
		if got := time.Since(start); got != time.Second {
			t.Errorf("close waited %v, want a second", got)
		}
		close(out.full)
		q.Close(time.Second)
		if got := time.Since(start); got != time.Second {
			t.Error("close waited for an empty queue")
		}
		fmt.Fprintln(q, "too late")
		if got, want := droppedLines(t, q), 1; got != want {
			t.Errorf("%d lines dropped, want %d", got, want)
		}
	})
}

// TestQueueConcurrent checks that each line is written whole, or counted.
func TestQueueConcurrent(t *testing.T) {
	const writers, lines = 8, 2000
	var out pipe
	q := NewQueue(&out)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range lines {
				fmt.Fprintf(q, "writer %d line %d %s\n", w, i, strings.Repeat("x", 200))
			}
		})
	}
	wg.Wait()
	q.Close(time.Minute)
	whole := regexp.MustCompile(`(?m)^writer \d line \d+ x{200}$`).FindAllString(out.written.String(), -1)
	if got := len(whole) + droppedLines(t, q); got != writers*lines {
		t.Errorf("%d lines written and %d dropped, want %d in all", len(whole), droppedLines(t, q), writers*lines)
	}
	if n := strings.Count(out.written.String(), "\n"); n != len(whole) {
		t.Errorf("%d lines, but %d whole ones", n, len(whole))
	}
}

// TestBridgedErrorsAreLimited checks that libraries log one warning and one error per interval, and all information.
func TestBridgedErrorsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		_, slogger := New(&out, "info", "logfmt")
		slogger = slogger.With("a", 1)
		for range 100 {
			slogger.Info("info")
			slogger.Warn("warn")
			slogger.Error("error")
		}
		time.Sleep(limitInterval)
		slogger.Error("later")
		for want, n := range map[string]int{"msg=info": 100, "msg=warn": 1, "msg=error": 1, "msg=later a=1 suppressed=99": 1} {
			if got := strings.Count(out.String(), want); got != n {
				t.Errorf("%d lines with %s, want %d", got, want, n)
			}
		}
	})
}
