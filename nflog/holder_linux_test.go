// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bufio"
	"errors"
	"fmt"
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

// checkHolder checks that opening the group fails because another socket holds it.
func checkHolder(t *testing.T, want nflog.GroupHeldError, err error) {
	t.Helper()
	got := (*nflog.GroupHeldError)(nil)
	if !errors.As(err, &got) || errors.Is(err, os.ErrPermission) {
		t.Fatalf("unexpected error: %v, want one of who holds the group", err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("unexpected holder (-want +got):\n%s", diff)
	}
}

// openInside is as openAndClose, on a thread in the network namespace.
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

// startHolder starts a process in the namespace that holds the group until the test ends, and
// returns its PID.
func startHolder(t *testing.T, ns *netns.NS, flags uintptr) int {
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
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := child.Wait(); err != nil {
			t.Errorf("unexpected end of the process: %v", err)
		}
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("unexpected output of the process: %q, %v", line, err)
	}
	return child.Process.Pid
}

// holder returns what is known of a process that holds the group.
func holder(t *testing.T, ns *netns.NS, pid int) nflog.GroupHeldError {
	t.Helper()
	return nflog.GroupHeldError{Group: group, PortID: port(t, ns), PID: pid, Process: processName(t, pid)}
}

// TestIntegrationHolderThis has this process hold the group, in a namespace that it is not in, by one of
// two sockets.
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

// TestIntegrationHolderProcess has another process hold the group.
func TestIntegrationHolderProcess(t *testing.T) {
	ns := kerneltest.NS(t)
	pid := startHolder(t, ns, 0)
	want := holder(t, ns, pid)
	checkHolder(t, want, openAndClose(nflog.ReaderConfig{NetNS: ns.FD()}))
	checkHolder(t, want, openInside(ns))
}

// TestIntegrationHolderPIDNamespace has a process hold the group that takes itself for PID 1. Here, PID 1
// is another.
func TestIntegrationHolderPIDNamespace(t *testing.T) {
	ns := kerneltest.NS(t)
	pid := startHolder(t, ns, unix.CLONE_NEWPID)
	checkHolder(t, holder(t, ns, pid), openAndClose(nflog.ReaderConfig{NetNS: ns.FD()}))
}

// TestIntegrationHolderGone has the group change hands all the time: the holder may be gone when it is
// looked for, which is no failure. Nor does the end of one reader's binding harm the other's.
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

// TestIntegrationHolderHidden may bind groups, but not see who has done so: the file that tells it
// is another user's, as a network namespace was made together with its user namespace.
func TestIntegrationHolderHidden(t *testing.T) {
	prepare := func(child *exec.Cmd) {
		child.SysProcAttr = netns.UserNS()
		child.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET
		// It is root's of the initial user namespace. This may be he, if he has all user ids.
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
