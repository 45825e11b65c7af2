// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for something that takes an attempt to bind or two, or a look at the rules. On a processor as
// slow as an emulated one, that comes 400 times as long after the one before as that took (costFactor of ruleset).
const patience = 2 * time.Minute

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
