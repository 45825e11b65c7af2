// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationGroupPermission runs a collector without CAP_NET_ADMIN.
func TestIntegrationGroupPermission(t *testing.T) {
	t.Parallel()
	if !inChild(t, 0) {
		return
	}
	r := start(t, Config{Groups: []GroupConfig{{Group: 100}}})
	r.wait(map[string]float64{
		`nflog_bind_failures_total{group="100",reason="permission"}`: 2,
		`nflog_bind_failures_total{group="100",reason="held"}`:       0,
		`nflog_bind_failures_total{group="100",reason="other"}`:      0,
		`nflog_up{group="100"}`:                                      0,
	})
	state := r.c.Groups()[0]
	if !state.Tried || state.Bound || !containsAll(state.Reason, "CAP_NET_ADMIN", "granting the capability does not help") {
		t.Errorf("unexpected state: %+v", state)
	}
	if lines := r.logs.with("level=error", "CAP_NET_ADMIN"); len(lines) != 1 {
		t.Errorf("%d errors in the log, want one: %q", len(lines), lines)
	}
}

// TestIntegrationGroupSocketBuffer configures a larger socket buffer than a process gets without CAP_NET_ADMIN in the
// initial user namespace.
func TestIntegrationGroupSocketBuffer(t *testing.T) {
	t.Parallel()
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	const configured = 1 << 29
	r := start(t, Config{Groups: []GroupConfig{
		{Group: 1, SocketBuffer: 1 << 12},
		{Group: 2, SocketBuffer: configured},
		{Group: 3}, // the default
	}})
	r.waitBound(1, 2, 3)
	got := samples(t, r.c)
	buffer := func(group string) float64 { return got[`nflog_socket_buffer_bytes{group="`+group+`"}`] }
	if buffer("2") >= 2*configured {
		kerneltest.Skip(t, "net.core.rmem_max is very large here")
	}
	warnings := map[string]int{"1": 0, "2": 1, "3": 0}
	if buffer("3") < 2*nflog.DefaultSocketBuffer {
		warnings["3"] = 1
	}
	for group, want := range warnings {
		if lines := r.logs.with("level=warn", "group="+group+" ", "net.core.rmem_max"); len(lines) != want {
			t.Errorf("%d warnings of a buffer of %v bytes, want %d: %q", len(lines), buffer(group), want, lines)
		}
	}

	// The next binding of the group does not repeat the warning.
	r.breakSocket(1)
	r.wait(map[string]float64{`nflog_binds_total{group="2"}`: 2})
	if lines := r.logs.with("level=warn", "group=2 ", "net.core.rmem_max"); len(lines) != 1 {
		t.Errorf("%d warnings, want one: %q", len(lines), lines)
	}
}
