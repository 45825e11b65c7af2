// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// stacks returns the stacks of all goroutines that contain a text.
func stacks(text string) []string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	all := strings.Split(string(buf), "\n\n")
	return slices.DeleteFunc(all, func(stack string) bool { return !strings.Contains(stack, text) })
}

// waiting reports whether a goroutine waits for a datagram in a function.
func waiting(function string) bool {
	return slices.ContainsFunc(stacks(function), func(stack string) bool {
		first, _, _ := strings.Cut(stack, "\n")
		return strings.Contains(first, "[IO wait")
	})
}

// awaitWaiting waits until a goroutine waits for a datagram in a function.
func awaitWaiting(t testing.TB, function string) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		if !waiting(function) {
			return fmt.Errorf("no goroutine waits in %s", function)
		}
		return nil
	})
}

// Functions in which a reader and a hook wait.
const (
	inReceive = "nflog.(*Reader).Receive"
	inSession = "nflog.(*session).run"
)
