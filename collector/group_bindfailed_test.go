// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"sync"
	"testing"

	"github.com/go-kit/log"
)

// TestReconfigureWhileBindingFails checks that a reload and a failed attempt to bind don't race.
func TestReconfigureWhileBindingFails(*testing.T) {
	g := newGroup(GroupConfig{Group: 100}, nil, false, log.NewNopLogger())
	var wg sync.WaitGroup
	wg.Go(func() { g.onBindFailed(errors.New("no")) })
	wg.Go(func() { g.reconfigure(GroupConfig{Group: 100, CopyRange: 64}) })
	wg.Wait()
}
