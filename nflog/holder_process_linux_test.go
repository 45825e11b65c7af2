// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// threadID returns the ID of a thread that lives until the test ends. It is not the main thread.
func threadID(t *testing.T) int {
	t.Helper()
	ids := make(chan int)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for {
			select {
			case ids <- unix.Gettid():
			case <-t.Context().Done():
				return
			}
		}
	}()
	if id := <-ids; id != os.Getpid() {
		return id
	}
	return threadID(t) // that was the main thread, which stays locked
}

func TestFindProcess(t *testing.T) {
	file, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	defer other.Close()
	link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	tests := []struct {
		name string
		link string
		port uint32
		want int
	}{
		{name: "by its PID", link: link, port: uint32(pid), want: pid},
		{name: "by a thread", link: link, port: uint32(threadID(t)), want: pid},
		{name: "by another process", link: link, port: 1, want: pid},
		{name: "by no number", link: link, port: 1<<32 - 1, want: pid},
		{name: "beginning of a link", link: link[:len(link)-1], port: uint32(pid)},
		{name: "more than a link", link: link + "]", port: uint32(pid)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := findProcess(tt.link, tt.port); got != tt.want {
				t.Errorf("unexpected PID: %d, want %d", got, tt.want)
			}
		})
	}
}

func TestHasDescriptorGone(t *testing.T) {
	const never = 1 << 30 // PIDs are smaller
	if found, checked := hasDescriptor(never, "socket:[1]"); found || checked != 1 {
		t.Errorf("unexpected result: %t after %d descriptors, want false after 1", found, checked)
	}
}
