// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"context"
	"errors"
	"math"
	"testing"

	gonflog "github.com/florianl/go-nflog/v2"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// Names of the errors that Open returns. A lookup in the map finds the error itself,
// not one that wraps it.
var (
	theirErrors = map[error]string{nil: "nil", gonflog.ErrCopyMode: "ErrCopyMode", gonflog.ErrUnknownFlag: "ErrUnknownFlag"}
	ourErrors   = map[error]string{nil: "nil", nflog.ErrCopyMode: "ErrCopyMode", nflog.ErrUnknownFlag: "ErrUnknownFlag"}
)

// TestIntegrationOpen opens with all copy modes and all flags.
func TestIntegrationOpen(t *testing.T) {
	for mode := range math.MaxUint8 + 1 {
		compareOpen(t, 0, uint8(mode))
		compareOpen(t, math.MaxUint16, uint8(mode))
	}
	for flags := range math.MaxUint16 + 1 {
		compareOpen(t, uint16(flags), nflog.CopyPacket)
		compareOpen(t, uint16(flags), nflog.CopyPacket+1)
	}
}

// compareOpen opens with flags and a copy mode.
func compareOpen(t *testing.T, flags uint16, mode uint8) {
	t.Helper()
	theirs, err := gonflog.Open(&gonflog.Config{Flags: flags, Copymode: mode})
	want, ok := theirErrors[err]
	if !ok {
		t.Fatalf("unexpected error of go-nflog with flags %#x and copy mode %d: %v", flags, mode, err)
	}
	if err == nil {
		must(t, theirs.Close())
	}
	if flags > nflog.FlagConntrack && flags <= nflog.FlagConntrack|nflog.FlagGlobal|nflog.FlagSeq {
		// go-nflog refuses flags together with FlagConntrack.
		if want != "ErrUnknownFlag" {
			t.Errorf("go-nflog returns %s with flags %#x", want, flags)
		}
		want = "nil"
		if mode > nflog.CopyPacket {
			want = "ErrCopyMode"
		}
	}

	ours, err := nflog.Open(&nflog.Config{Flags: flags, Copymode: mode})
	if got := ourErrors[err]; got != want {
		t.Errorf("unexpected error with flags %#x and copy mode %d: %v, want %s itself", flags, mode, err, want)
	}
	if err == nil {
		must(t, ours.Close())
	}
}

// TestIntegrationOpenNil opens without a configuration.
func TestIntegrationOpenNil(t *testing.T) {
	theirs, err := gonflog.Open(nil)
	must(t, err)
	must(t, theirs.Close())
	ours, err := nflog.Open(nil)
	must(t, err)
	must(t, ours.Close())
}

// TestIntegrationConntrack opens with FlagConntrack. Not every kernel supports it:
// either both libraries return an error, or neither.
func TestIntegrationConntrack(t *testing.T) {
	ns := kerneltest.NS(t)
	ctx, cancel := context.WithCancel(context.Background())
	theirs, err := gonflog.Open(&gonflog.Config{NetNS: ns.FD(), Group: theirGroup, Flags: gonflog.FlagConntrack})
	must(t, err)
	ours, err := nflog.Open(&nflog.Config{NetNS: ns.FD(), Group: ourGroup, Flags: nflog.FlagConntrack})
	must(t, err)

	var r recorder
	theirErr := theirs.RegisterWithErrorFunc(ctx, func(gonflog.Attribute) int { return 0 }, r.failed)
	ourErr := ours.RegisterWithErrorFunc(ctx, func(nflog.Attribute) int { return 0 }, r.failed)
	cancel()
	must(t, errors.Join(theirs.Close(), ours.Close()))

	if got, want := errors.Is(ourErr, nflog.ErrNoConntrack), errors.Is(theirErr, unix.EOPNOTSUPP); got != want {
		t.Errorf("unexpected error: %v, of go-nflog: %v", ourErr, theirErr)
	}
	if theirErr == nil && ourErr != nil {
		t.Errorf("unexpected error: %v", ourErr)
	}
}
