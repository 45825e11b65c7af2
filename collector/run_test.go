// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for something that takes an attempt to bind or two.
const patience = 20 * time.Second

// runCollector runs a collector until the test ends, or until stop is called, which waits for the end of Run.
func runCollector(t *testing.T, c *Collector) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("the collector does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}
