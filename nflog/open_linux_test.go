// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationReopen opens the group again and again: it is free when Close returns, and nothing
// is left behind.
func TestIntegrationReopen(t *testing.T) {
	ns := kerneltest.NS(t)
	reopen := func() {
		t.Helper()
		r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			t.Fatalf("failed to open reader: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
	}
	descriptors := func() int {
		t.Helper()
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	reopen() // for what is made once for all
	fds, goroutines := descriptors(), runtime.NumGoroutine()
	for range 100 {
		reopen()
	}
	if n := descriptors(); n > fds {
		t.Errorf("unexpected descriptors: %d, want %d", n, fds)
	}
	kerneltest.Eventually(t, patience, func() error {
		if n := runtime.NumGoroutine(); n > goroutines {
			return fmt.Errorf("unexpected goroutines: %d, want %d", n, goroutines)
		}
		return nil
	})
}

// checkHeld checks that opening a group fails because another socket holds it.
func checkHeld(t *testing.T, ns *netns.NS) {
	t.Helper()
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
	if err == nil {
		_ = r.Close()
	}
	if !errors.Is(err, nflog.ErrGroupHeld) || errors.Is(err, os.ErrPermission) {
		t.Errorf("unexpected error: %v, want %v", err, nflog.ErrGroupHeld)
	}
}

func TestIntegrationGroupHeld(t *testing.T) {
	ns := kerneltest.NS(t)
	r := open(t, ns, nflog.ReaderConfig{})
	checkHeld(t, ns)

	// Not by its number alone: in another namespace, and beside it, the group is free.
	open(t, kerneltest.NS(t), nflog.ReaderConfig{})
	other, err := nflog.OpenReader(group+1, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		t.Fatalf("failed to open another group: %v", err)
	}
	defer other.Close()

	if err := r.Close(); err != nil {
		t.Fatalf("failed to close reader: %v", err)
	}
	open(t, ns, nflog.ReaderConfig{})
}

// TestIntegrationNoNamespace opens a reader in what is no network namespace.
func TestIntegrationNoNamespace(t *testing.T) {
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: int(file.Fd())})
	if err == nil {
		_ = r.Close()
		t.Fatal("unexpected success")
	}
	for _, reason := range []error{nflog.ErrGroupHeld, nflog.ErrPermission, nflog.ErrUnsupported} {
		if errors.Is(err, reason) {
			t.Errorf("unexpected error: %v, which is %v", err, reason)
		}
	}
}

// holdGroup, in the environment of the test program, makes it hold the group until its standard
// input ends.
const holdGroup = "NFLOG_TEST_HOLD_GROUP"

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

func TestIntegrationGroupHeldByProcess(t *testing.T) {
	ns := kerneltest.NS(t)
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), holdGroup+"=1")
	child.Stderr = os.Stderr
	child.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
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
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "held\n" {
		t.Errorf("unexpected output of the process: %q, %v", line, err)
	}
	checkHeld(t, ns)

	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatalf("unexpected end of the process: %v", err)
	}
	open(t, ns, nflog.ReaderConfig{})
}

func TestIntegrationNoCapability(t *testing.T) {
	for name, held := range map[string]bool{"free": false, "held": true} {
		t.Run(name, func(t *testing.T) {
			ns := kerneltest.NS(t)
			if held {
				open(t, ns, nflog.ReaderConfig{})
			}
			// Do's thread ends with it, and with it what it lacks.
			err := ns.Do(func() error {
				if err := dropNetAdmin(); err != nil {
					return err
				}
				r, err := nflog.OpenReader(group, nflog.ReaderConfig{})
				if err == nil {
					_ = r.Close()
				}
				return err
			})
			if !errors.Is(err, nflog.ErrPermission) || errors.Is(err, nflog.ErrGroupHeld) {
				t.Errorf("unexpected error: %v, want %v", err, nflog.ErrPermission)
			}
		})
	}
}

// dropNetAdmin takes CAP_NET_ADMIN from the calling thread.
func dropNetAdmin() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	data[0].Permitted &^= 1 << unix.CAP_NET_ADMIN
	data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	return os.NewSyscallError("capset", unix.Capset(&header, &data[0]))
}

// TestIntegrationOpenInFlood opens readers while packets come, which may be queued before the
// kernel's answer: they count, too.
func TestIntegrationOpenInFlood(t *testing.T) {
	ns, _ := logUDP(t)
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	flood.Go(func() {
		if _, err := traffic.Flood(ctx, ns, target4, 0, 10, 0); err != nil {
			t.Errorf("failed to send: %v", err)
		}
	})
	defer flood.Wait()
	defer cancel()

	for i := range 100 {
		// Each packet is a datagram of its own, so that some come at any moment.
		r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1, CopyRange: 1})
		if i%2 == 0 {
			checkNumbers(t, skipUnnumbered(receive(t, r, 100)), 0)
			if stats := r.Stats(); stats.Lost != 0 || stats.MalformedMessages != 0 || stats.MalformedAttributes != 0 {
				t.Fatalf("unexpected stats: %+v", stats)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
		if _, err := r.Receive(); !errors.Is(err, nflog.ErrClosed) {
			t.Fatalf("unexpected error of a closed reader: %v, want %v", err, nflog.ErrClosed)
		}
	}
}
