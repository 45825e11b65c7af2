// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// childTest is the environment variable that names the test that a child process runs.
const childTest = "NFLOG_COLLECTOR_TEST_CHILD"

// inChild runs the test again, in a process that is root of a user namespace of its own, with
// further new namespaces as flags tell (unix.CLONE_NEWNET), and reports whether this is that
// process. Without a network namespace of its own, it is in one that it has no capability in.
func inChild(t *testing.T, flags uintptr) bool {
	t.Helper()
	if os.Getenv(childTest) == t.Name() {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), childTest+"="+t.Name())
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | flags,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := kerneltest.NS(t).Start(cmd)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) {
		kerneltest.Skip(t, "user namespaces are forbidden here: "+err.Error())
	}
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Errorf("the child process failed: %v\n%s", err, &output)
	}
	return false
}

// TestIntegrationGroupPermission lacks CAP_NET_ADMIN.
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
	if !state.Tried || state.Bound || !containsAll(state.Reason, []string{"CAP_NET_ADMIN", "granting the capability does not help"}) {
		t.Errorf("unexpected state: %+v", state)
	}
	if lines := r.logs.with("level=error", "CAP_NET_ADMIN"); len(lines) != 1 {
		t.Errorf("%d errors in the log, want one: %q", len(lines), lines)
	}
}

// TestIntegrationGroupSocketBuffer asks for more than a process without CAP_NET_ADMIN in the initial
// user namespace can have.
func TestIntegrationGroupSocketBuffer(t *testing.T) {
	t.Parallel()
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	const asked = 1 << 29
	r := start(t, Config{Groups: []GroupConfig{
		{Group: 1, SocketBuffer: 1 << 12},
		{Group: 2, SocketBuffer: asked},
		{Group: 3}, // the default
	}})
	r.waitBound(1, 2, 3)
	got := samples(t, r.c)
	buffer := func(group string) float64 { return got[`nflog_socket_buffer_bytes{group="`+group+`"}`] }
	if buffer("2") >= 2*asked {
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

	// Bound again, it does not say so again.
	r.breakSocket(1)
	r.wait(map[string]float64{`nflog_binds_total{group="2"}`: 2})
	if lines := r.logs.with("level=warn", "group=2 ", "net.core.rmem_max"); len(lines) != 1 {
		t.Errorf("%d warnings, want one: %q", len(lines), lines)
	}
}
