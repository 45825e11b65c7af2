// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// The exporter ends within five seconds of a signal.
const (
	scrapeGrace = 3 * time.Second // for scrapes under way to finish
	stopGrace   = 4 * time.Second // for these and for readers to drain
)

// Run calls read while s serves, until ctx ends or a listener fails, whose error it returns. Then it stops both.
func (s *Servers) Run(ctx context.Context, read func(context.Context), logger log.Logger) error {
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		read(reading)
	}()

	var err error
	select {
	case <-ctx.Done():
		level.Info(logger).Log("msg", "Stopping on a signal")
	case err = <-s.failed:
		err = fmt.Errorf("serve: %w", err)
	}
	stopReading()
	s.stop(drained, logger)
	return err
}

// stop waits until scrapes have finished and readers have drained, but no longer than stopGrace.
func (s *Servers) stop(drained <-chan struct{}, logger log.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()

	scrapes, cancelScrapes := context.WithTimeout(ctx, scrapeGrace)
	defer cancelScrapes()
	if !s.shutdown(scrapes) {
		level.Warn(logger).Log("msg", "Cut off connections that were still busy")
	}

	select {
	case <-drained:
		level.Info(logger).Log("msg", "Stopped")
	case <-ctx.Done():
		level.Warn(logger).Log("msg", "Stopped before all groups were drained and unbound")
	}
}
