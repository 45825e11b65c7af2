// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// awaitBody waits until the answer to a request of path contains want.
func (e *exporter) awaitBody(t *testing.T, path, want string) {
	t.Helper()
	kerneltest.Eventually(t, bookTimeout, func() error {
		body, _, err := e.get(t.Context(), path, "")
		if err == nil && !strings.Contains(string(body), want) {
			err = fmt.Errorf("no %q in:\n%s", want, body)
		}
		return err
	})
}

// stopLogged stops the exporter, which has to end well and to say so at last.
func (e *exporter) stopLogged(t *testing.T, signal os.Signal) {
	t.Helper()
	e.signal(t, signal)
	e.awaitExit(t, 0)
	lines := e.log.lines("")
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, "msg=Stopped\n") {
		t.Errorf("unexpected last line of the log: %q", last)
	}
}

// TestIntegrationCopies runs several exporters in one network namespace.
func TestIntegrationCopies(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)

	first := start(t, ns)
	first.awaitBody(t, "/-/ready", "group 100: bound since ")
	first.awaitBody(t, "/metrics", "\nnflog_up{group=\"100\"} 1\n")
	first.awaitBody(t, "/", "<h3>Group 100</h3><span class=\"state\">read")

	// A second one on the same port fails before it touches a group.
	clash := launch(t, ns, command(executable(t), "--nflog.group=101"))
	clash.awaitExit(t, 1)
	want := []string{"nflog_exporter: error: --web.listen-address=\":10100\": must be HOST:PORT or :PORT of this host, not in use: " +
		"listen tcp :10100: bind: address already in use: held by " + fmt.Sprintf("%s (PID %d)\n", filepath.Base(first.cmd.Path), first.cmd.Process.Pid)}
	if diff := cmp.Diff(want, clash.log.lines("")); diff != "" {
		t.Errorf("unexpected stderr with a port in use (-want +got):\n%s", diff)
	}

	// One on the same group stays up, and takes over.
	second := start(t, ns, "--web.listen-address=:10101")
	second.awaitBody(t, "/-/ready", "group 100: not bound: ")
	second.awaitBody(t, "/metrics", "\nnflog_up{group=\"100\"} 0\n")
	first.stopLogged(t, syscall.SIGTERM)
	second.awaitBody(t, "/-/ready", "group 100: bound since ")
	second.stopLogged(t, os.Interrupt)
}

// TestIntegrationSocketActivation passes a listening socket from another network namespace, where the exporter could not
// have opened one.
func TestIntegrationSocketActivation(t *testing.T) {
	t.Parallel()
	outside, inside := kerneltest.NS(t), kerneltest.NS(t)

	var socket *os.File
	must(t, outside.Do(func() error {
		l, err := net.Listen("tcp", "127.0.0.1:10100")
		if err != nil {
			return err
		}
		defer l.Close()
		socket, err = l.(*net.TCPListener).File()
		return err
	}))
	defer socket.Close()
	// As systemd does, which knows the process id.
	cmd := exec.Command("/bin/sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec /proc/self/fd/4 --web.systemd-socket")
	cmd.ExtraFiles = []*os.File{socket, executable(t)}
	e := launch(t, inside, cmd)
	e.ns = outside
	e.awaitBody(t, "/-/ready", "group 100: bound since ")
	e.stopLogged(t, syscall.SIGTERM)
}

// TestIntegrationStopWithBusyConnection stops an exporter to which a client has begun a request that it does not finish.
func TestIntegrationStopWithBusyConnection(t *testing.T) {
	t.Parallel()
	e := start(t, kerneltest.NS(t))
	hang(t, e)
	e.stopLogged(t, syscall.SIGTERM)
	if warning := "Cut off connections"; len(e.log.lines(warning)) == 0 {
		t.Errorf("no %q in the log", warning)
	}
}

// TestIntegrationHangupWithoutFile sends SIGHUP to an exporter that has no file to read again.
func TestIntegrationHangupWithoutFile(t *testing.T) {
	t.Parallel()
	e := start(t, kerneltest.NS(t))
	e.awaitBody(t, "/-/ready", "group 100: bound since ")
	for range 3 {
		e.signal(t, syscall.SIGHUP)
	}
	e.awaitBody(t, "/-/healthy", "ok")
	e.stopLogged(t, syscall.SIGTERM)
}
