// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// NS returns a fresh network namespace, which is closed when the test ends. The
// test skips by [Skip] where network namespaces are forbidden, and by
// [skipShort].
func NS(t testing.TB) *netns.NS {
	t.Helper()
	skipShort(t, "uses the kernel's netfilter")
	ns, err := netns.New()
	if errors.Is(err, unix.EPERM) {
		Skip(t, "network namespaces are forbidden here: allow user namespaces, or run the tests as root")
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

// Require returns the path of a program. The test skips by [Skip] where the
// program is not installed, and by [skipShort].
func Require(t testing.TB, binary string) string {
	t.Helper()
	skipShort(t, "runs other programs")
	path, err := exec.LookPath(binary)
	if err != nil {
		Skip(t, err.Error())
	}
	return path
}

// Skip skips the test because the machine lacks something, or fails it where
// CI is set.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("must not be skipped where CI is set: %s", reason)
	}
	t.Skip(reason)
}

// completeKernel in the environment says that the kernel has all features that
// tests use.
const completeKernel = "NFLOG_KERNELTEST_COMPLETE"

// InUserNamespace reports whether an ordinary user runs the tests: these have a user namespace of their own then.
func InUserNamespace() bool {
	m, err := os.ReadFile("/proc/self/uid_map")
	return err != nil || !strings.HasSuffix(string(m), " 4294967295\n")
}

// NeedLargeMessages skips a test that loads thousands of rules at once, if an ordinary user runs it: the kernel takes no
// netlink message from it that is larger than net.core.wmem_max.
func NeedLargeMessages(t testing.TB) {
	t.Helper()
	if InUserNamespace() {
		t.Skip("an ordinary user can't load thousands of rules at once")
	}
}

// SkipKernel skips the test because the kernel lacks a feature, such as "VLAN
// interfaces". It does so also where CI is set: there, .ci/kernels runs the same
// test on kernels with that feature. It sets completeKernel, with which the test
// fails instead.
func SkipKernel(t testing.TB, lacks string) {
	t.Helper()
	if os.Getenv(completeKernel) != "" {
		t.Fatalf("the kernel must have %s", lacks)
	}
	t.Skip("left to .ci/kernels: the kernel has no " + lacks)
}

// skipShort skips the test with -short, also where CI is set. The reason says
// what the test does that a short run leaves out, such as "runs other programs".
func skipShort(t testing.TB, reason string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: " + reason)
	}
}

// Eventually calls condition again and again until it returns nil. After timeout it
// fails the test with the last error of condition.
func Eventually(t testing.TB, timeout time.Duration, condition func() error) {
	t.Helper()
	// What takes long is asked for less often, as asking takes CPU time from all that
	// runs beside it.
	const maxInterval = 100 * time.Millisecond
	interval := time.Millisecond
	for deadline := time.Now().Add(timeout); ; interval = min(interval*3/2, maxInterval) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still failing after %v: %v", timeout, err)
		}
		time.Sleep(interval)
	}
}
