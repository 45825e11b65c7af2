// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	gonflog "github.com/florianl/go-nflog/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// openBoth opens a group of a namespace with each library.
func openBoth(t *testing.T, ns *netns.NS, flags uint16) (*gonflog.Nflog, *nflog.Nflog) {
	t.Helper()
	theirs, err := gonflog.Open(&gonflog.Config{NetNS: ns.FD(), Group: theirGroup, Flags: flags})
	must(t, err)
	ours, err := nflog.Open(&nflog.Config{NetNS: ns.FD(), Group: ourGroup, Flags: flags})
	must(t, err)
	return theirs, ours
}

// registerBoth registers hooks, one after the other, and returns the errors.
func registerBoth(theirs *gonflog.Nflog, ours *nflog.Nflog) (theirErr, ourErr error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var r recorder
	theirErr = theirs.RegisterWithErrorFunc(ctx, func(gonflog.Attribute) int { return 0 }, r.failed)
	ourErr = ours.RegisterWithErrorFunc(ctx, func(nflog.Attribute) int { return 0 }, r.failed)
	return theirErr, ourErr
}

// TestIntegrationHeld registers hooks for groups that another socket holds. Programs look for the errno or its text.
func TestIntegrationHeld(t *testing.T) {
	ns := kerneltest.NS(t)
	holder, err := nflog.OpenGroups([]uint16{theirGroup, ourGroup}, nflog.ReaderConfig{NetNS: ns.FD()})
	must(t, err)
	defer holder.Close()
	theirs, ours := openBoth(t, ns, 0)
	theirErr, ourErr := registerBoth(theirs, ours)
	text := unix.EPERM.Error()
	if theirErr == nil || !strings.Contains(theirErr.Error(), text) {
		t.Errorf("unexpected error of go-nflog: %v, want %s", theirErr, text)
	}
	if ourErr == nil || !strings.Contains(ourErr.Error(), text) || !errors.Is(ourErr, unix.EPERM) {
		t.Errorf("unexpected error: %v, want %v", ourErr, unix.EPERM)
	}
	must(t, errors.Join(theirs.Close(), ours.Close()))
}

// TestIntegrationOpErrors provokes errors for which go-nflog returns a *netlink.OpError.
func TestIntegrationOpErrors(t *testing.T) {
	ns := kerneltest.NS(t)
	t.Run("refused flags", func(t *testing.T) {
		theirs, ours := openBoth(t, ns, gonflog.FlagConntrack)
		theirErr, ourErr := registerBoth(theirs, ours)
		if theirErr == nil {
			must(t, errors.Join(theirs.Close(), ours.Close()))
			t.Skip("the kernel supports all flags")
		}
		compareOpErrors(t, theirErr, ourErr)
		must(t, errors.Join(theirs.Close(), ours.Close()))
	})
	t.Run("option after Close", func(t *testing.T) {
		theirs, ours := openBoth(t, ns, 0)
		must(t, errors.Join(theirs.Close(), ours.Close()))
		compareOpErrors(t, theirs.SetOption(netlink.NoENOBUFS, true), ours.SetOption(netlink.NoENOBUFS, true))
	})
	t.Run("deadline", func(t *testing.T) {
		theirs, ours := openBoth(t, ns, 0)
		receive := make(chan error, 1)
		failed := func(err error) int { receive <- err; return 1 }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		past := time.Unix(1, 0)
		must(t, theirs.RegisterWithErrorFunc(ctx, func(gonflog.Attribute) int { return 0 }, failed))
		must(t, theirs.Con.SetReadDeadline(past))
		theirErr := <-receive
		cancel()
		must(t, theirs.Close())

		must(t, ours.RegisterWithErrorFunc(t.Context(), func(nflog.Attribute) int { return 0 }, failed))
		must(t, ours.Con.SetReadDeadline(past))
		ourErr := <-receive
		must(t, ours.Close())
		compareOpErrors(t, theirErr, ourErr)
		if timeout, ok := errors.AsType[net.Error](ourErr); !ok || !timeout.Timeout() {
			t.Errorf("unexpected error: %v, want a timeout", ourErr)
		}
	})
}

// compareOpErrors checks that both errors are or wrap a *netlink.OpError of the same operation, and of the same errno if go-nflog's
// has one.
func compareOpErrors(t *testing.T, theirs, ours error) {
	t.Helper()
	want, ok := errors.AsType[*netlink.OpError](theirs)
	if !ok {
		t.Fatalf("unexpected error of go-nflog: %v (%v)", theirs, reflect.TypeOf(theirs))
	}
	got, ok := errors.AsType[*netlink.OpError](ours)
	if !ok || got.Op != want.Op || got.Timeout() != want.Timeout() {
		t.Fatalf("unexpected error: %v (%v), want %v", ours, reflect.TypeOf(ours), theirs)
	}
	if errno, ok := errors.AsType[unix.Errno](theirs); ok && errno != unix.EBADF && !errors.Is(ours, errno) {
		t.Errorf("unexpected error: %v, want %v", ours, errno)
	}
}
