// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationHeldByNobody looks for the holder of a group that is not held any more.
func TestIntegrationHeldByNobody(t *testing.T) {
	ns := kerneltest.NS(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	want := &GroupHeldError{Group: 7}
	for name, netns := range map[string]int{"free": ns.FD(), "free here": 0, "no namespace": int(null.Fd()), "no descriptor": -1} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, newGroupHeldError(netns, 7)); diff != "" {
				t.Errorf("unexpected error (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIntegrationInNetNS enters another network namespace from many goroutines. No thread stays there.
func TestIntegrationInNetNS(t *testing.T) {
	ns := kerneltest.NS(t)
	var other unix.Stat_t
	if err := unix.Fstat(ns.FD(), &other); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := inNetNS(ns.FD(), func() error {
				if !sameFile(threadNetNS, other) {
					t.Error("not in the network namespace")
				}
				if sameFile("/proc/self/ns/net", other) {
					t.Error("the main thread is in the network namespace")
				}
				return nil
			})
			if err != nil {
				t.Errorf("unexpected error: %v", err)
			}
		})
	}
	all.Wait()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		threads, err := filepath.Glob("/proc/self/task/*/ns/net")
		if err != nil || len(threads) == 0 {
			t.Fatalf("failed to list threads: %v", err)
		}
		for _, path := range threads {
			if sameFile(path, other) {
				return fmt.Errorf("%s is still in the network namespace", path)
			}
		}
		return nil
	})
}

// sameFile reports whether a path is the same file as before.
func sameFile(path string, before unix.Stat_t) bool {
	var now unix.Stat_t
	return unix.Stat(path, &now) == nil && now.Dev == before.Dev && now.Ino == before.Ino
}

func TestIntegrationInNetNSError(t *testing.T) {
	broken := errors.New("broken")
	if err := inNetNS(kerneltest.NS(t).FD(), func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("unexpected error: %v, want %v", err, broken)
	}
	err := inNetNS(-1, func() error {
		t.Error("unexpected call")
		return nil
	})
	if failed, ok := errors.AsType[*os.SyscallError](err); !ok || failed.Syscall != "setns" {
		t.Errorf("unexpected error: %v, want an error of setns", err)
	}
}
