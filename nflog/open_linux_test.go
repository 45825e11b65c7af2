// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// checkHeld checks that opening the group fails because another socket holds it.
func checkHeld(t *testing.T, ns *netns.NS) {
	t.Helper()
	err := openAndClose(nflog.ReaderConfig{NetNS: ns.FD()})
	if !isHeld(err) {
		t.Errorf("unexpected error: %v, want %v", err, nflog.ErrGroupHeld)
	}
}

// isHeld reports whether an error says that another socket holds a group: by ErrGroupHeld, and for programs written for
// go-nflog by the kernel's errno and by its text.
func isHeld(err error) bool {
	return errors.Is(err, nflog.ErrGroupHeld) && !errors.Is(err, nflog.ErrPermission) &&
		errors.Is(err, unix.EPERM) && strings.Contains(err.Error(), "operation not permitted")
}

func TestIntegrationGroupHeld(t *testing.T) {
	ns := kerneltest.NS(t)
	r := open(t, ns, nflog.ReaderConfig{})
	checkHeld(t, ns)

	// The group is free in another namespace, and another group is free here.
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

// TestIntegrationNoNamespace opens a reader with a descriptor that is no network namespace.
func TestIntegrationNoNamespace(t *testing.T) {
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = openAndClose(nflog.ReaderConfig{NetNS: int(file.Fd())})
	if err == nil {
		t.Fatal("unexpected success")
	}
	for _, reason := range []error{nflog.ErrGroupHeld, nflog.ErrPermission, nflog.ErrUnsupported} {
		if errors.Is(err, reason) {
			t.Errorf("unexpected match of %v with %v", err, reason)
		}
	}
}

func TestIntegrationNoCapability(t *testing.T) {
	for name, held := range map[string]bool{"free": false, "held": true} {
		t.Run(name, func(t *testing.T) {
			ns := kerneltest.NS(t)
			if held {
				open(t, ns, nflog.ReaderConfig{})
			}
			// The thread ends with Do, so no other test lacks the capability.
			err := ns.Do(func() error {
				if err := dropNetAdmin(); err != nil {
					return err
				}
				return openAndClose(nflog.ReaderConfig{})
			})
			if !errors.Is(err, nflog.ErrPermission) || errors.Is(err, nflog.ErrGroupHeld) {
				t.Errorf("unexpected error: %v, want %v", err, nflog.ErrPermission)
			}
		})
	}
}

// TestIntegrationOpenInFlood opens readers while packets come. Packets that are queued before the kernel's
// acknowledgement count too.
func TestIntegrationOpenInFlood(t *testing.T) {
	ns, _ := logUDP(t)
	flood(t, ns, target4, 0)
	for i := range 100 {
		// Each packet is a datagram of its own, so datagrams come all the time.
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
