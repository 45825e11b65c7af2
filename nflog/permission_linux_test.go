// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// childTest is an environment variable with the name of the test that runs in a child process.
const childTest = "NFLOG_TEST_CHILD"

// firstFile is the descriptor of the first of exec.Cmd's ExtraFiles.
const firstFile = 3

// inChild runs the test again in a child process that lacks capabilities, in a network namespace of this process.
// It returns true in the child process.
func inChild(t *testing.T, prepare func(child *exec.Cmd), lacks ...uintptr) bool {
	t.Helper()
	if os.Getenv(childTest) == t.Name() {
		return true
	}
	child := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.timeout=1m")
	// The second variable keeps kerneltest from getting the capabilities in a user namespace. The third one
	// keeps the race detector from sleeping at exit.
	child.Env = append(os.Environ(), childTest+"="+t.Name(), "NFLOG_KERNELTEST_USERNS=1", "GORACE=atexit_sleep_ms=10")
	child.SysProcAttr = &syscall.SysProcAttr{}
	prepare(child)
	child.SysProcAttr.Pdeathsig = unix.SIGKILL
	var output []byte
	err := kerneltest.NS(t).Do(func() (err error) {
		for _, capability := range lacks {
			// exec drops what is not in the thread's bounding set, even for root.
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
				return os.NewSyscallError("prctl", err)
			}
		}
		output, err = child.CombinedOutput()
		return err
	})
	if err != nil {
		t.Errorf("the process failed: %v\n%s", err, output)
	}
	return false
}

// checkMissing checks that an error names a missing capability.
func checkMissing(t *testing.T, want nflog.PermissionError, err error) {
	t.Helper()
	got, ok := errors.AsType[*nflog.PermissionError](err)
	if !ok || errors.Is(err, nflog.ErrGroupHeld) {
		t.Fatalf("unexpected error: %v, want an error about a missing capability", err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("unexpected error (-want +got):\n%s", diff)
	}
}

// openAndClose opens the group, closes it, and returns the error.
func openAndClose(config nflog.ReaderConfig) error {
	r, err := nflog.OpenReader(group, config)
	if err != nil {
		return err
	}
	return r.Close()
}

// userNS returns the inode number of a user namespace.
func userNS(t *testing.T, path string) uint64 {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Ino
}

func TestIntegrationPermissionOwn(t *testing.T) {
	ns := kerneltest.NS(t)
	err := ns.Do(func() error {
		if err := dropNetAdmin(); err != nil {
			return err
		}
		return openAndClose(nflog.ReaderConfig{})
	})
	checkMissing(t, nflog.PermissionError{
		Capability: "CAP_NET_ADMIN", UserNS: userNS(t, "/proc/self/ns/user"), OwnUserNS: true,
	}, err)
}

// TestIntegrationPermissionAbove runs as root of a user namespace. The network namespace belongs to the user
// namespace above.
func TestIntegrationPermissionAbove(t *testing.T) {
	if inChild(t, func(child *exec.Cmd) { child.SysProcAttr = netns.UserNS() }) {
		checkMissing(t, nflog.PermissionError{Capability: "CAP_NET_ADMIN"}, openAndClose(nflog.ReaderConfig{}))
	}
}

// TestIntegrationPermissionEnterOwn can't enter a network namespace of its own user namespace.
func TestIntegrationPermissionEnterOwn(t *testing.T) {
	prepare := func(child *exec.Cmd) { child.ExtraFiles = []*os.File{openFile(t, kerneltest.NS(t).Path())} }
	if inChild(t, prepare, unix.CAP_SYS_ADMIN) {
		checkMissing(t, nflog.PermissionError{
			Capability: "CAP_SYS_ADMIN", UserNS: userNS(t, "/proc/self/ns/user"), OwnUserNS: true,
		}, openAndClose(nflog.ReaderConfig{NetNS: firstFile}))
	}
}

// TestIntegrationPermissionEnterAbove can't enter a network namespace of the user namespace above.
func TestIntegrationPermissionEnterAbove(t *testing.T) {
	prepare := func(child *exec.Cmd) {
		child.SysProcAttr = netns.UserNS()
		child.ExtraFiles = []*os.File{openFile(t, kerneltest.NS(t).Path())}
	}
	if inChild(t, prepare) {
		checkMissing(t, nflog.PermissionError{Capability: "CAP_SYS_ADMIN"}, openAndClose(nflog.ReaderConfig{NetNS: firstFile}))
	}
}

// TestIntegrationPermissionEnterBelow can't enter a network namespace of a user namespace below.
func TestIntegrationPermissionEnterBelow(t *testing.T) {
	prepare := func(child *exec.Cmd) {
		below := startBelow(t)
		child.ExtraFiles = []*os.File{
			openFile(t, fmt.Sprintf("/proc/%d/ns/net", below)), openFile(t, fmt.Sprintf("/proc/%d/ns/user", below)),
		}
	}
	if inChild(t, prepare, unix.CAP_SYS_ADMIN) {
		checkMissing(t, nflog.PermissionError{
			Capability: "CAP_SYS_ADMIN", UserNS: userNS(t, fmt.Sprintf("/proc/self/fd/%d", firstFile+1)),
		}, openAndClose(nflog.ReaderConfig{NetNS: firstFile}))
	}
}

// startBelow starts a process in its own user and network namespaces. It returns the PID.
func startBelow(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("cat")
	cmd.SysProcAttr = netns.UserNS()
	cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := kerneltest.NS(t).Start(cmd); err != nil {
		t.Fatalf("failed to start process: %v", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("unexpected end of the process: %v", err)
		}
	})
	return cmd.Process.Pid
}

func openFile(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}
