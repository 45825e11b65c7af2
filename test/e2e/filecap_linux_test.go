// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
	"github.com/nflog-exporter/nflog_exporter/tools/filecap"
)

// TestIntegrationFileCapability starts the exporter as images have it: its file has CAP_NET_ADMIN permitted, and not in effect.
// How much of that it gets is up to who starts it.
func TestIntegrationFileCapability(t *testing.T) {
	t.Parallel()
	if m, err := os.ReadFile("/proc/self/uid_map"); err != nil || !strings.HasSuffix(string(m), " 4294967295\n") {
		t.Skip("in a user namespace there is one user alone")
	}
	setpriv := kerneltest.Require(t, "setpriv")
	program := withFileCapability(t, executable(t))
	const user = "--reuid=65532 --regid=65532 --clear-groups"
	tests := []struct {
		name     string
		setpriv  string
		refused  bool
		inEffect bool // all the time
	}{
		{name: "granted", setpriv: user + " --bounding-set=-all,+net_admin --inh-caps=-all"},
		// The ambient set is there to have the capability permitted before the exec, as container runtimes do.
		{name: "no new privileges", setpriv: user + " --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin --ambient-caps=+net_admin --no-new-privs"},
		{name: "root", setpriv: "--bounding-set=-all,+net_admin --inh-caps=-all", inEffect: true},
		{name: "not granted", setpriv: user + " --bounding-set=-net_admin --inh-caps=-all", refused: true},
		{name: "not granted to root", setpriv: "--bounding-set=-all --inh-caps=-all", refused: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := kerneltest.NS(t)
			logLoopback(t, ns)
			cmd := exec.Command(setpriv, append(strings.Fields(tt.setpriv), "/proc/self/fd/3")...)
			cmd.ExtraFiles = []*os.File{program}
			e := launch(t, ns, cmd)
			e.awaitReady(t)
			if tt.refused {
				e.checkUnbound(t, 1, "permission", "the capability CAP_NET_ADMIN is missing")
				e.stop(t)
				return
			}
			must(t, traffic.UDP(ns, toPort(loopback4), 4, 10))
			e.eventually(t, 10*time.Second, func(s scrape) error {
				if got := s.packets(); got != 4 {
					return fmt.Errorf("%v packets, want 4", got)
				}
				return s.expect(1, "nflog_up")
			})
			if got := e.inEffect(t); got != tt.inEffect {
				t.Errorf("a thread has capabilities in effect: %v, want %v", got, tt.inEffect)
			}
			e.stop(t)
			if lines := e.log.lines("Group unbound, socket drained"); len(lines) != 1 {
				t.Errorf("the group was not unbound: %q", e.log.lines(""))
			}
		})
	}
}

// withFileCapability returns a copy of a program whose file has CAP_NET_ADMIN permitted.
func withFileCapability(t *testing.T, program *os.File) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	// By another process: what this one has open for writing can't be executed, and each process that other tests start
	// meanwhile would have it open for a moment.
	cp := exec.Command("cp", "/proc/self/fd/3", path)
	cp.ExtraFiles = []*os.File{program}
	must(t, cp.Run(), os.Chmod(path, 0o755))

	if err := filecap.PermitNetAdmin(path); err != nil {
		kerneltest.Skip(t, "no file capabilities: "+err.Error())
	}
	f, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// inEffect reports whether a thread of the exporter has a capability in effect.
func (e *exporter) inEffect(t *testing.T) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", e.cmd.Process.Pid))
	must(t, err)
	found := false
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		must(t, err)
		_, after, ok := strings.Cut(string(status), "\nCapEff:\t")
		if !ok {
			t.Fatalf("%s does not tell", path)
		}
		found = found || !strings.HasPrefix(after, "0000000000000000\n")
	}
	return found
}
