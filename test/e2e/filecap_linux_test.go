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

// TestIntegrationFileCapability starts the exporter as images contain it: with CAP_NET_ADMIN permitted in its file
// capabilities, but not effective. How it is started decides whether the process gets the capability.
func TestIntegrationFileCapability(t *testing.T) {
	t.Parallel()
	if kerneltest.InUserNamespace() {
		t.Skip("the test needs a second user, and this user namespace has only one")
	}
	setpriv := kerneltest.Require(t, "setpriv")
	program := withFileCapability(t, executable(t))
	const user = "--reuid=65532 --regid=65532 --clear-groups"
	tests := []struct {
		name      string
		setpriv   string
		refused   bool
		effective bool // all the time
	}{
		{name: "granted", setpriv: user + " --bounding-set=-all,+net_admin --inh-caps=-all"},
		// As in container runtimes, the capability is permitted before the exec; here by the ambient set.
		{name: "no new privileges", setpriv: user + " --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin --ambient-caps=+net_admin --no-new-privs"},
		{name: "root", setpriv: "--bounding-set=-all,+net_admin --inh-caps=-all", effective: true},
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
			if got := e.effective(t); got != tt.effective {
				t.Errorf("a thread has effective capabilities: %v, want %v", got, tt.effective)
			}
			e.stop(t)
			if lines := e.log.lines("Group unbound, socket drained"); len(lines) != 1 {
				t.Errorf("the group was not unbound: %q", e.log.lines(""))
			}
		})
	}
}

// withFileCapability returns a copy of a program, with CAP_NET_ADMIN permitted in its file capabilities.
func withFileCapability(t *testing.T, program *os.File) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	// Another process makes the copy. A file that is open for writing can't be executed (ETXTBSY), and processes that other tests
	// fork from this one inherit its descriptors until their exec.
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

// effective reports whether a thread of the exporter has an effective capability.
func (e *exporter) effective(t *testing.T) bool {
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
			t.Fatalf("%s has no CapEff", path)
		}
		found = found || !strings.HasPrefix(after, "0000000000000000\n")
	}
	return found
}
