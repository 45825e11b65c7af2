// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// NS returns a fresh network namespace, which is closed when the test ends.
func NS(t testing.TB) *netns.NS {
	t.Helper()
	ns, err := netns.New()
	if errors.Is(err, unix.EPERM) {
		Skip(t, "network namespaces are forbidden here: allow user namespaces, or compile the tests (go test -c) and run them as root")
	}
	if err != nil {
		t.Fatalf("failed to make a network namespace: %v", err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Errorf("failed to close network namespace: %v", err)
		}
	})
	return ns
}

// Require skips the test where the program called binary is not installed, or
// fails it where CI is set. It returns the program's path.
func Require(t testing.TB, binary string) string {
	t.Helper()
	path, err := exec.LookPath(binary)
	if err != nil {
		Skip(t, err.Error())
	}
	return path
}

// Skip skips the test because of something that the machine lacks, or fails it
// where CI is set.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("must not be skipped where CI is set: %s", reason)
	}
	t.Skip(reason)
}

// Eventually calls condition, every few milliseconds, until it returns nil. It
// fails the test with condition's last error when that takes longer than
// timeout.
func Eventually(t testing.TB, timeout time.Duration, condition func() error) {
	t.Helper()
	const interval = 5 * time.Millisecond
	for deadline := time.Now().Add(timeout); ; time.Sleep(interval) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %v", timeout, err)
		}
	}
}
