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

// netAdmin reports whether the calling thread has CAP_NET_ADMIN permitted, and in effect.
func netAdmin() (permitted, effective bool, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	err = os.NewSyscallError("capget", unix.Capget(&header, &sets[0]))
	return sets[0].Permitted&(1<<unix.CAP_NET_ADMIN) != 0, sets[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0, err
}

// keepPermitted takes CAP_NET_ADMIN from what is in effect for the calling thread.
func keepPermitted() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	sets[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	return os.NewSyscallError("capset", unix.Capset(&header, &sets[0]))
}

// TestIntegrationPermitted has a thread for which CAP_NET_ADMIN is permitted, but not in effect. Each call has it in effect for
// as long as it takes.
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
				return fmt.Errorf("want an error that says that the group is held: %w", err)
			}
			return nil
		}},
		{name: "configure", call: func() error { return r.Configure(nflog.ReaderConfig{CopyRange: 64}) }},
		{name: "unbind", call: func() error { return r.Unbind() }},
		{name: "receive", call: func() error {
			setDeadline(t, r, time.Now().Add(patience))
			if b, err := r.Receive(); err == nil {
				return fmt.Errorf("a batch, of %d packets, want the end", b.Stats().Packets)
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
				return fmt.Errorf("%s: the capability is permitted: %v, in effect: %v: %w", c.name, permitted, effective, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
