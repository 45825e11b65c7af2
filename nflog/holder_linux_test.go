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
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/internal/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/internal/netns"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// heldBy opens the group, which is held, and returns what the error tells.
func heldBy(t *testing.T, config nflog.ReaderConfig) nflog.GroupHeldError {
	t.Helper()
	r, err := nflog.OpenReader(group, config)
	if err == nil {
		_ = r.Close()
	}
	held := (*nflog.GroupHeldError)(nil)
	if !errors.As(err, &held) {
		t.Fatalf("unexpected error: %v, want one of who holds the group", err)
	}
	return *held
}

// heldByHere is as heldBy on a thread in the namespace, where setUp is called before.
func heldByHere(t *testing.T, ns *netns.NS, setUp func() error) nflog.GroupHeldError {
	t.Helper()
	var held *nflog.GroupHeldError
	err := ns.Do(func() error {
		if err := setUp(); err != nil {
			return err
		}
		r, err := nflog.OpenReader(group, nflog.ReaderConfig{})
		if err == nil {
			_ = r.Close()
		}
		return err
	})
	if !errors.As(err, &held) {
		t.Fatalf("unexpected error: %v, want one of who holds the group", err)
	}
	return *held
}

func checkHolder(t *testing.T, want, got nflog.GroupHeldError) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected holder (-want +got):\n%s", diff)
	}
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
	child.Env = append(os.Environ(), holdGroup+"=1")
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

// TestIntegrationHolderThis has this process hold the group, in a namespace that it is not in.
func TestIntegrationHolderThis(t *testing.T) {
	ns := kerneltest.NS(t)
	open(t, ns, nflog.ReaderConfig{})
	pid := os.Getpid()
	want := nflog.GroupHeldError{Group: group, PortID: uint32(pid), PID: pid, Process: processName(t, pid)}
	checkHolder(t, want, heldBy(t, nflog.ReaderConfig{NetNS: ns.FD()}))
	checkHolder(t, want, heldByHere(t, ns, func() error { return nil }))
}

// TestIntegrationHolderSecondSocket has the second socket of a process hold the group: its port is
// not the PID.
func TestIntegrationHolderSecondSocket(t *testing.T) {
	ns := kerneltest.NS(t)
	first, err := nflog.OpenReader(group+1, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		t.Fatalf("failed to open another group: %v", err)
	}
	defer first.Close()
	open(t, ns, nflog.ReaderConfig{})
	got := heldBy(t, nflog.ReaderConfig{NetNS: ns.FD()})
	pid := os.Getpid()
	if got.PortID == 0 || got.PortID == uint32(pid) {
		t.Errorf("unexpected port: %d", got.PortID)
	}
	checkHolder(t, nflog.GroupHeldError{Group: group, PortID: got.PortID, PID: pid, Process: processName(t, pid)}, got)

	// The other group is still the first socket's.
	_, err = nflog.OpenReader(group+1, nflog.ReaderConfig{NetNS: ns.FD()})
	if held := (*nflog.GroupHeldError)(nil); !errors.As(err, &held) || held.Group != group+1 || held.PortID != uint32(pid) {
		t.Errorf("unexpected error: %v, want group %d held by port %d", err, group+1, pid)
	}
}

func TestIntegrationHolderProcess(t *testing.T) {
	ns := kerneltest.NS(t)
	pid := startHolder(t, ns, 0)
	want := nflog.GroupHeldError{Group: group, PortID: uint32(pid), PID: pid, Process: processName(t, pid)}
	checkHolder(t, want, heldBy(t, nflog.ReaderConfig{NetNS: ns.FD()}))
	checkHolder(t, want, heldByHere(t, ns, func() error { return nil }))
}

// TestIntegrationHolderPIDNamespace has a process hold the group that takes itself for PID 1, and so
// does the kernel when it chooses the port. Here, PID 1 is another.
func TestIntegrationHolderPIDNamespace(t *testing.T) {
	ns := kerneltest.NS(t)
	pid := startHolder(t, ns, unix.CLONE_NEWPID)
	want := nflog.GroupHeldError{Group: group, PortID: 1, PID: pid, Process: processName(t, pid)}
	checkHolder(t, want, heldBy(t, nflog.ReaderConfig{NetNS: ns.FD()}))
}

// TestIntegrationHolderGone has the group change hands again and again, while somebody asks for it.
func TestIntegrationHolderGone(t *testing.T) {
	ns := kerneltest.NS(t)
	pid := os.Getpid()
	this := nflog.GroupHeldError{Group: group, PID: pid, Process: processName(t, pid)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
			if err == nil {
				_ = r.Close()
			} else if !errors.Is(err, nflog.ErrGroupHeld) {
				t.Errorf("unexpected error: %v, want %v", err, nflog.ErrGroupHeld)
			}
		}
	}()
	for range 200 {
		r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
		held := (*nflog.GroupHeldError)(nil)
		switch {
		case err == nil:
			_ = r.Close()
		case !errors.As(err, &held):
			t.Errorf("unexpected error: %v, want %v", err, nflog.ErrGroupHeld)
		case held.PID == 0:
			checkHolder(t, nflog.GroupHeldError{Group: group, PortID: held.PortID}, *held)
		default:
			this.PortID = held.PortID
			checkHolder(t, this, *held)
		}
	}
	<-done
}

// TestIntegrationHolderHidden asks on a thread that may bind groups, but not see who has done so.
func TestIntegrationHolderHidden(t *testing.T) {
	const nobody = 65534
	ns := kerneltest.NS(t)
	open(t, ns, nflog.ReaderConfig{})
	want := nflog.GroupHeldError{Group: group}
	checkHolder(t, want, heldByHere(t, ns, func() error {
		// It takes CAP_DAC_OVERRIDE and the like, but not CAP_NET_ADMIN.
		if _, err := unix.SetfsuidRetUid(nobody); err != nil {
			return err
		}
		if uid, _ := unix.SetfsuidRetUid(-1); uid != nobody {
			return errNoUser
		}
		return nil
	}))
}
