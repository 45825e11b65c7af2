// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/procnet"
)

// Times that the exporter may take to be ready, and to end.
const (
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
)

// An exporter is a running exporter.
type exporter struct {
	ns          *netns.NS
	address     string // that it serves, inside ns
	credentials *credentials
	cmd         *exec.Cmd
	log         logBuffer
	exited      chan struct{}
	ended       bool // by the test
}

// start starts the exporter inside ns and waits until it has tried to bind its
// group. At the end of the test it stops the exporter, which must exit with
// status 0.
func start(t *testing.T, ns *netns.NS, args ...string) *exporter {
	t.Helper()
	return startBinary(t, ns, executable(t), args...)
}

// startBinary is like start, for a program that build has returned.
func startBinary(t *testing.T, ns *netns.NS, program *os.File, args ...string) *exporter {
	t.Helper()
	e := launch(t, ns, command(program, args...))
	e.awaitReady(t)
	t.Cleanup(func() { e.stop(t) })
	return e
}

// launch starts cmd, which runs the exporter, inside ns. It keeps the log, unless cmd has a standard error already. It kills
// the process at the end of the test.
func launch(t *testing.T, ns *netns.NS, cmd *exec.Cmd) *exporter {
	t.Helper()
	e := &exporter{ns: ns, address: "127.0.0.1:10100", cmd: cmd, exited: make(chan struct{})}
	for _, arg := range cmd.Args {
		if port, ok := strings.CutPrefix(arg, "--web.listen-address=:"); ok {
			e.address = "127.0.0.1:" + port
		}
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &e.log
	}
	// By default, the race detector delays the exit of a program by a second.
	cmd.Env = append(cmd.Environ(), "GORACE=atexit_sleep_ms=10")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := ns.Start(cmd); err != nil {
		t.Fatalf("failed to start the exporter: %v", err)
	}
	go func() {
		defer close(e.exited)
		_ = cmd.Wait() // awaitExit checks the exit status
	}()
	t.Cleanup(func() {
		e.kill()
		if t.Failed() {
			t.Logf("log of %v:\n%s", cmd.Args, strings.Join(e.log.lines(""), ""))
		}
	})
	return e
}

// awaitReady waits until the exporter has tried to bind its group.
func (e *exporter) awaitReady(t *testing.T) {
	t.Helper()
	kerneltest.Eventually(t, startTimeout, func() error {
		_, err := e.ready(t.Context())
		return err
	})
}

// stop ends the exporter with SIGTERM, unless it has ended already.
func (e *exporter) stop(t *testing.T) {
	t.Helper()
	if !e.ended {
		e.signal(t, syscall.SIGTERM)
		e.awaitExit(t, 0)
	}
}

// signal sends a signal.
func (e *exporter) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := e.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("failed to send %v to the exporter: %v", signal, err)
	}
}

// awaitExit waits for the end of the exporter and checks its exit status.
func (e *exporter) awaitExit(t *testing.T, status int) {
	t.Helper()
	e.ended = true
	select {
	case <-e.exited:
	case <-time.After(stopTimeout):
		t.Fatalf("the exporter has not ended after %v", stopTimeout)
	}
	if got := e.cmd.ProcessState.ExitCode(); got != status {
		t.Errorf("unexpected exit status: got %d, want %d", got, status)
	}
}

// kill ends the exporter with SIGKILL.
func (e *exporter) kill() {
	e.ended = true
	_ = e.cmd.Process.Kill()
	<-e.exited
}

// dial connects to the exporter.
func (e *exporter) dial(ctx context.Context) (conn net.Conn, err error) {
	err = e.ns.Do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", e.address)
		return err
	})
	return conn, err
}

// get requests path and returns the body of a response with status 200. Accept is the header of that name, which selects the
// exposition format.
func (e *exporter) get(ctx context.Context, path, accept string) (body []byte, contentType string, err error) {
	status, header, body, err := e.request(ctx, http.MethodGet, path, accept)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, status, body)
	}
	return body, header.Get("Content-Type"), err
}

// request requests path and returns the response.
func (e *exporter) request(ctx context.Context, method, path, accept string) (status int, header http.Header, body []byte, err error) {
	client := http.Client{
		Timeout: startTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) },
			TLSClientConfig:   e.credentials.tls(),
		},
	}
	req, err := http.NewRequestWithContext(ctx, method, e.credentials.url(e.address, path), nil)
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Accept", accept)
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, res.Header, body, err
}

// ready returns the body of /-/ready, which describes the state of the group.
func (e *exporter) ready(ctx context.Context) (string, error) {
	body, _, err := e.get(ctx, "/-/ready", "")
	return string(body), err
}

// kernelGroup returns the state of the exporter's group in the kernel. The group must be bound.
func (e *exporter) kernelGroup(t *testing.T) procnet.Group {
	t.Helper()
	g, err := procnet.ReadGroup(e.ns, group)
	must(t, err)
	if !g.Bound {
		t.Fatalf("group %d is not bound", group)
	}
	return g
}

// A logBuffer keeps what a process logs.
type logBuffer struct {
	mu      sync.Mutex
	written []byte
}

// Write implements [io.Writer].
func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = append(l.written, b...)
	return len(b), nil
}

// lines returns the lines that contain text.
func (l *logBuffer) lines(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Collect(strings.Lines(string(l.written)))
	return slices.DeleteFunc(all, func(line string) bool { return !strings.Contains(line, text) })
}
