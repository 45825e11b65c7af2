// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

var contextSwitches = regexp.MustCompile(`(?m)^voluntary_ctxt_switches:\s*(\d+)$`)

// switches returns how often the threads of this process have gone to sleep, without threads that have ended.
func switches(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if match := contextSwitches.FindSubmatch(status); match != nil {
			n, _ := strconv.Atoi(string(match[1]))
			sum += n
		}
	}
	return sum
}

// TestIntegrationIdle waits while no packets come. Waiting causes no wake-ups.
func TestIntegrationIdle(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{})
	received := receiving(t, r)
	before := switches(t)
	time.Sleep(time.Second)
	if n := switches(t) - before; n > 100 {
		t.Errorf("unexpected wake-ups: %d per second", n)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("failed to close reader: %v", err)
	}
	_ = within(t, received)
}

// TestIntegrationNobodyWaits sends datagrams while nobody waits. They cause no wake-ups.
func TestIntegrationNobodyWaits(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
	// An earlier wait must not cause wake-ups.
	received := receiving(t, r)
	send(t, ns, target4, 1)
	if err := within(t, received); err != nil {
		t.Fatalf("failed to receive: %v", err)
	}

	const datagrams = 5000
	before := switches(t)
	send(t, ns, target4, datagrams)
	if n := switches(t) - before; n > datagrams/5 {
		t.Errorf("unexpected wake-ups: %d for %d datagrams", n, datagrams)
	}
	checkNumbers(t, receive(t, r, datagrams), 1)
}
