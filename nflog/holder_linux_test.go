// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// checkHolder checks that an error names the holder of the group.
func checkHolder(t *testing.T, want nflog.GroupHeldError, err error) {
	t.Helper()
	got, ok := errors.AsType[*nflog.GroupHeldError](err)
	if !ok || errors.Is(err, nflog.ErrPermission) {
		t.Fatalf("unexpected error: %v, want an error about the holder of the group", err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("unexpected holder (-want +got):\n%s", diff)
	}
}

// openInside is like openAndClose, on a thread in the network namespace.
func openInside(ns *netns.NS) error {
	return ns.Do(func() error { return openAndClose(nflog.ReaderConfig{}) })
}

// processName returns the name of a process.
func processName(t *testing.T, pid int) string {
	t.Helper()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(name), "\n")
}

// holdGroup is an environment variable of the test program. If it is set, the program holds the group until its
// standard input ends.
const holdGroup = "NFLOG_TEST_HOLD_GROUP"

// hold opens the group, prints "held", and waits for the end of the standard input.
func hold() (status int) {
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer r.Close()
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// startHolder starts a process in the namespace that holds the group until stop is called or the test ends.
func startHolder(t *testing.T, ns *netns.NS, flags uintptr) (pid int, stop func()) {
	t.Helper()
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), holdGroup+"=1", "GORACE=atexit_sleep_ms=10")
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Cloneflags: flags}
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start(child); err != nil {
		t.Fatalf("failed to start process: %v", err)
	}
	stop = sync.OnceFunc(func() {
		_ = stdin.Close()
		if err := child.Wait(); err != nil {
			t.Errorf("unexpected end of the process: %v", err)
		}
	})
	t.Cleanup(stop)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("unexpected output of the process: %q, %v", line, err)
	}
	return child.Process.Pid, stop
}

// holder returns the expected error for a process that holds the group.
func holder(t *testing.T, ns *netns.NS, pid int) nflog.GroupHeldError {
	t.Helper()
	return nflog.GroupHeldError{Group: group, PortID: port(t, ns), PID: pid, Process: processName(t, pid)}
}

// TestIntegrationHolderThis holds the group in this process, with one of two sockets, in a namespace that the
// process is not in.
func TestIntegrationHolderThis(t *testing.T) {
	ns := kerneltest.NS(t)
	other, err := nflog.OpenReader(group+1, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		t.Fatalf("failed to open another group: %v", err)
	}
	defer other.Close()
	open(t, ns, nflog.ReaderConfig{})
	want := holder(t, ns, os.Getpid())
	checkHolder(t, want, openAndClose(nflog.ReaderConfig{NetNS: ns.FD()}))
	checkHolder(t, want, openInside(ns))
}

// TestIntegrationHolderProcess holds the group in another process.
func TestIntegrationHolderProcess(t *testing.T) {
	ns := kerneltest.NS(t)
	pid, stop := startHolder(t, ns, 0)
	want := holder(t, ns, pid)
	checkHolder(t, want, openAndClose(nflog.ReaderConfig{NetNS: ns.FD()}))
	checkHolder(t, want, openInside(ns))
	stop()
	open(t, ns, nflog.ReaderConfig{}) // the group is free
}

// TestIntegrationHolderPIDNamespace holds the group in a process with PID 1 of its own PID namespace.
func TestIntegrationHolderPIDNamespace(t *testing.T) {
	ns := kerneltest.NS(t)
	pid, _ := startHolder(t, ns, unix.CLONE_NEWPID)
	checkHolder(t, holder(t, ns, pid), openAndClose(nflog.ReaderConfig{NetNS: ns.FD()}))
}

// TestIntegrationHolderGone opens and closes the group in two goroutines. The holder may be gone when it is looked
// up: that is not a failure. The end of one reader's binding does not affect the other reader.
func TestIntegrationHolderGone(t *testing.T) {
	ns := kerneltest.NS(t)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for range 200 {
				if err := openAndClose(nflog.ReaderConfig{NetNS: ns.FD()}); err != nil && !errors.Is(err, nflog.ErrGroupHeld) {
					t.Errorf("unexpected error: %v, want %v", err, nflog.ErrGroupHeld)
				}
			}
		})
	}
	both.Wait()
}

// TestIntegrationHolderHidden runs a process that may bind groups, but can't see who holds them. Another user owns
// the file in /proc, because the network namespace was created together with its user namespace.
func TestIntegrationHolderHidden(t *testing.T) {
	prepare := func(child *exec.Cmd) {
		child.SysProcAttr = netns.UserNS()
		child.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET
		// The file belongs to root of the initial user namespace. That may be this user if it has all user IDs.
		if uids, err := os.ReadFile("/proc/self/uid_map"); err != nil || strings.HasSuffix(string(uids), " 4294967295\n") {
			const nobody = 65534
			child.SysProcAttr.UidMappings[0].HostID, child.SysProcAttr.GidMappings[0].HostID = nobody, nobody
			child.SysProcAttr.GidMappingsEnableSetgroups = true
			child.SysProcAttr.Credential = &syscall.Credential{}
		}
	}
	if inChild(t, prepare) {
		r, err := nflog.OpenReader(group, nflog.ReaderConfig{})
		if err != nil {
			t.Fatalf("failed to open reader: %v", err)
		}
		defer r.Close()
		checkHolder(t, nflog.GroupHeldError{Group: group}, openAndClose(nflog.ReaderConfig{}))
	}
}
