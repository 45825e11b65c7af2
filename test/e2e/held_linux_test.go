// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// takeOverTimeout is how long the exporter may take to bind a group after it was released.
const takeOverTimeout = 8 * time.Second

// cantBind is part of the log line about a group that the exporter can't bind.
const cantBind = "can't be bound"

// TestIntegrationHeld starts the exporter while another process holds the group,
// which later releases it.
func TestIntegrationHeld(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		hold     func(*testing.T, *netns.NS) (holder *exec.Cmd, release func())
		failures float64 // before the release
	}{
		// After the fourth failure, the back-off has reached its maximum.
		{name: "library", hold: holdByLibrary, failures: 4},
		{name: "tcpdump", hold: holdByTCPDump, failures: 2},
		{name: "exporter", hold: holdByExporter, failures: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := kerneltest.NS(t)
			holder, release := tt.hold(t, ns)
			reason := heldBy(t, holder.Process.Pid)
			e := start(t, ns, "--web.listen-address=:10102")
			e.checkUnbound(t, tt.failures, "held", reason)

			release()
			s := e.eventually(t, takeOverTimeout, func(s scrape) error { return s.expect(1, "nflog_up") })
			if err := s.expect(1, "nflog_binds_total"); err != nil {
				t.Error(err)
			}
			state, err := e.ready(t.Context())
			if err != nil || !strings.HasPrefix(state, "group 100: bound since ") {
				t.Errorf("unexpected state: %q, %v", state, err)
			}
			e.checkOneLine(t, reason)
		})
	}
}

// heldBy returns the exporter's message for a group that the process holds.
func heldBy(t *testing.T, pid int) string {
	t.Helper()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	must(t, err)
	return fmt.Sprintf("it is held by %s (PID %d), and a group has one reader at a time", strings.TrimSpace(string(name)), pid)
}

// TestIntegrationNoCapability starts the exporter without CAP_NET_ADMIN.
func TestIntegrationNoCapability(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	cmd := testBinary(roleIncapable)
	cmd.ExtraFiles = []*os.File{executable(t)}
	e := launch(t, ns, cmd)
	e.awaitReady(t)
	const reason = "the capability CAP_NET_ADMIN is missing in the user namespace that owns the network namespace. Run as root, or grant it"
	e.checkUnbound(t, 2, "permission", reason)
	e.checkOneLine(t, reason)
	e.stop(t)
}

// TestIntegrationPortTaken starts a second exporter with the same listen address.
func TestIntegrationPortTaken(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	start(t, ns)
	second := launch(t, ns, command(executable(t), "--nflog.group=101"))
	second.awaitExit(t, 1)
	lines := second.log.lines("")
	if len(lines) != 1 || !strings.Contains(lines[0], `--web.listen-address=":10100"`) || !strings.Contains(lines[0], "in use") {
		t.Errorf("want one line that names the flag and the value, got %q", lines)
	}
}

// checkUnbound waits until the exporter has failed that many times to bind the
// group. It checks that the exporter still runs, and gives the reason as a label
// and the message in /-/ready.
func (e *exporter) checkUnbound(t *testing.T, failures float64, reason, message string) {
	t.Helper()
	s := e.eventually(t, 20*time.Second, func(s scrape) error {
		return s.expect(failures, "nflog_bind_failures_total", "reason", reason)
	})
	errs := []error{
		s.expect(0, "nflog_up"),
		s.expect(0, "nflog_binds_total"),
		s.expect(0, "nflog_lost_packets_total"),
	}
	for _, other := range []string{"held", "permission", "unsupported", "namespace", "other"} {
		if other != reason {
			errs = append(errs, s.expect(0, "nflog_bind_failures_total", "reason", other))
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	state, err := e.ready(t.Context())
	if err != nil || !strings.HasPrefix(state, "group 100: not bound: ") || !strings.Contains(state, message) {
		t.Errorf("unexpected state: want it to contain %q, got %q, %v", message, state, err)
	}
}

// checkOneLine checks that the log has one error about the group, however often
// the exporter has tried to bind it, and that this error contains the message.
func (e *exporter) checkOneLine(t *testing.T, message string) {
	t.Helper()
	lines := e.log.lines(cantBind)
	if len(lines) != 1 || !strings.Contains(lines[0], message) || !strings.Contains(lines[0], "level=error") {
		t.Errorf("want one error with %q, got %q", message, lines)
	}
}

// holdByLibrary reads the group in another process with package nflog.
func holdByLibrary(t *testing.T, ns *netns.NS) (holder *exec.Cmd, release func()) {
	t.Helper()
	cmd := testBinary(roleHolder)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, startUntil(ns, cmd, bufio.NewReader(stdout), holding))
	return cmd, func() {
		must(t, stdin.Close(), cmd.Wait())
	}
}

// holdByTCPDump reads the group with tcpdump.
func holdByTCPDump(t *testing.T, ns *netns.NS) (holder *exec.Cmd, release func()) {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, "tcpdump"), "-n", "-i", "nflog:100")
	stderr, err := cmd.StderrPipe()
	must(t, err)
	if err := startUntil(ns, cmd, bufio.NewReader(stderr), "listening on nflog:100"); err != nil {
		if strings.Contains(err.Error(), "Couldn't change to") {
			t.Skip("tcpdump changes to another user, but this user namespace has only one")
		}
		t.Fatal(err)
	}
	return cmd, func() {
		must(t, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	}
}

// holdByExporter reads the group with another exporter.
func holdByExporter(t *testing.T, ns *netns.NS) (holder *exec.Cmd, release func()) {
	t.Helper()
	e := start(t, ns)
	return e.cmd, func() { e.stop(t) }
}

// startUntil starts cmd inside ns and returns when it has written a line with the
// given prefix.
func startUntil(ns *netns.NS, cmd *exec.Cmd, output *bufio.Reader, prefix string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := ns.Start(cmd); err != nil {
		return err
	}
	var all strings.Builder
	for {
		line, err := output.ReadString('\n')
		if strings.HasPrefix(line, prefix) {
			return nil
		}
		all.WriteString(line)
		if err != nil {
			return fmt.Errorf("%v ended: %w: %s", cmd.Args, cmd.Wait(), all.String())
		}
	}
}
