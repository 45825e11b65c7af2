// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// inode returns the identity of the namespace at a path below /proc.
func inode(t *testing.T, path string) string {
	t.Helper()
	link, err := os.Readlink(path)
	if err != nil {
		t.Fatalf("failed to read namespace: %v", err)
	}
	return link
}

func TestIntegrationNewHasLoopback(t *testing.T) {
	ns := kerneltest.NS(t)
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		err := ns.Do(func() error {
			conn, err := net.ListenPacket("udp", addr)
			if err != nil {
				return err
			}
			defer conn.Close()
			if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				return err
			}
			if _, err := conn.WriteTo([]byte("x"), conn.LocalAddr()); err != nil {
				return err
			}
			_, _, err = conn.ReadFrom(make([]byte, 1))
			return err
		})
		if err != nil {
			t.Errorf("failed to send to %s: %v", addr, err)
		}
	}
}

// TestIntegrationThreadsStay checks that Do leaves no thread in another namespace,
// where the rest of the program could run on it.
func TestIntegrationThreadsStay(t *testing.T) {
	home := inode(t, "/proc/self/ns/net")
	for range 20 {
		ns := kerneltest.NS(t)
		var got string
		err := ns.Do(func() (err error) {
			got, err = os.Readlink("/proc/thread-self/ns/net")
			return err
		})
		if err != nil {
			t.Fatalf("failed to run in namespace: %v", err)
		}
		if got == home || got != inode(t, ns.Path()) {
			t.Errorf("unexpected namespace inside Do: %s", got)
		}
	}
	// A thread ends a moment after its goroutine.
	kerneltest.Eventually(t, 10*time.Second, func() error {
		links, err := filepath.Glob("/proc/self/task/*/ns/net")
		if err != nil {
			return err
		}
		for _, path := range links {
			// An error means that the thread has ended.
			if link, err := os.Readlink(path); err == nil && link != home {
				return errors.New(path + " is in " + link)
			}
		}
		return nil
	})
}

func TestIntegrationDoErrors(t *testing.T) {
	ns := kerneltest.NS(t)
	want := errors.New("broken")
	if got := ns.Do(func() error { return want }); !errors.Is(got, want) {
		t.Errorf("unexpected error: %v", got)
	}
	err := ns.Do(func() error {
		runtime.Goexit()
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "Goexit") {
		t.Errorf("unexpected error of a function that did not return: %v", err)
	}
}

func TestIntegrationStart(t *testing.T) {
	readlink := kerneltest.Require(t, "readlink")
	ns := kerneltest.NS(t)
	var out strings.Builder
	cmd := exec.Command(readlink, "/proc/self/ns/net")
	cmd.Stdout = &out
	if err := ns.Start(cmd); err != nil {
		t.Fatalf("failed to start: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("failed to wait: %v", err)
	}
	if diff := cmp.Diff(inode(t, ns.Path()), strings.TrimSpace(out.String())); diff != "" {
		t.Errorf("unexpected namespace of process (-want +got):\n%s", diff)
	}

	err := ns.Start(exec.Command("/nonexistent"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("unexpected error of a missing program: %v", err)
	}
}

// TestIntegrationStartDeathSignal checks that a child with a parent-death
// signal outlives the goroutine and the call that started it.
func TestIntegrationStartDeathSignal(t *testing.T) {
	cat := kerneltest.Require(t, "cat")
	ns := kerneltest.NS(t)
	cmd := exec.Command(cat)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("failed to make pipe: %v", err)
	}
	if err := ns.Start(cmd); err != nil {
		t.Fatalf("failed to start: %v", err)
	}
	for range 20 { // threads come and go
		if err := ns.Do(func() error { return nil }); err != nil {
			t.Fatalf("failed to run in namespace: %v", err)
		}
	}
	if err := stdin.Close(); err != nil {
		t.Fatalf("failed to close pipe: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("child did not end by itself: %v", err)
	}
}

func TestIntegrationMount(t *testing.T) {
	ns := kerneltest.NS(t)
	path := filepath.Join(t.TempDir(), "ns")
	if err := ns.Mount(path); err != nil {
		t.Fatalf("failed to mount: %v", err)
	}
	want, err := os.Stat(ns.Path())
	if err != nil {
		t.Fatalf("failed to stat: %v", err)
	}
	if got, err := os.Stat(path); err != nil || !os.SameFile(got, want) {
		t.Errorf("%s is not the namespace: %v", path, err)
	}
	if err := netns.Unmount(path); err != nil {
		t.Fatalf("failed to unmount: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}
