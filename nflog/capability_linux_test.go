// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// netAdmin reports whether the calling thread has CAP_NET_ADMIN permitted, and effective.
func netAdmin() (permitted, effective bool, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	err = os.NewSyscallError("capget", unix.Capget(&header, &sets[0]))
	return sets[0].Permitted&(1<<unix.CAP_NET_ADMIN) != 0, sets[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0, err
}

// changeCapabilities changes the capability sets of the calling thread.
func changeCapabilities(change func(*unix.CapUserData)) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	change(&sets[0])
	return os.NewSyscallError("capset", unix.Capset(&header, &sets[0]))
}

// dropNetAdmin drops CAP_NET_ADMIN of the calling thread.
func dropNetAdmin() error {
	return changeCapabilities(func(set *unix.CapUserData) {
		set.Permitted &^= 1 << unix.CAP_NET_ADMIN
		set.Effective &^= 1 << unix.CAP_NET_ADMIN
	})
}

// keepPermitted makes CAP_NET_ADMIN of the calling thread permitted, but not effective.
func keepPermitted() error {
	return changeCapabilities(func(set *unix.CapUserData) { set.Effective &^= 1 << unix.CAP_NET_ADMIN })
}

// TestIntegrationPermitted calls functions on a thread that has CAP_NET_ADMIN permitted, but not effective. Each
// call makes it effective until it returns.
func TestIntegrationPermitted(t *testing.T) {
	ns := kerneltest.NS(t)
	var r *nflog.Reader
	var n *nflog.Nflog
	calls := []struct {
		name string
		call func() error
	}{
		{name: "open a reader", call: func() (err error) {
			r, err = nflog.OpenReader(group, nflog.ReaderConfig{})
			return err
		}},
		{name: "open it again", call: func() error {
			if err := openAndClose(nflog.ReaderConfig{}); !errors.Is(err, nflog.ErrGroupHeld) {
				return fmt.Errorf("unexpected error: %w, want %w", err, nflog.ErrGroupHeld)
			}
			return nil
		}},
		{name: "configure", call: func() error { return r.Configure(nflog.ReaderConfig{CopyRange: 64}) }},
		{name: "unbind", call: func() error { return r.Unbind() }},
		{name: "receive", call: func() error {
			setDeadline(t, r, time.Now().Add(patience))
			if b, err := r.Receive(); err == nil {
				return fmt.Errorf("unexpected batch of %d packets, want the end", b.Stats().Packets)
			} else if errors.Is(err, nflog.ErrPermission) {
				return err
			}
			return r.Close()
		}},
		{name: "open", call: func() (err error) {
			n, err = nflog.Open(&nflog.Config{Group: group})
			return err
		}},
		{name: "register", call: func() error {
			return n.RegisterWithErrorFunc(context.Background(), func(nflog.Attribute) int { return 0 }, func(error) int { return 1 })
		}},
		{name: "close", call: func() error { return n.Close() }},
		{name: "another request", call: func() error {
			return nflog.Privileged(0, func() error {
				if _, effective, err := netAdmin(); err != nil || !effective {
					return fmt.Errorf("not effective: %w", err)
				}
				return nil
			})
		}},
	}
	err := ns.Do(func() error {
		if err := keepPermitted(); err != nil {
			return err
		}
		for _, c := range calls {
			if err := c.call(); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if permitted, effective, err := netAdmin(); err != nil || !permitted || effective {
				return fmt.Errorf("%s: unexpected capability: permitted %t, effective %t: %w", c.name, permitted, effective, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
