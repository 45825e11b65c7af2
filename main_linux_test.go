// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// runMain in the environment makes the test binary the exporter.
const runMain = "NFLOG_EXPORTER_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMain) == "" {
		kerneltest.Main(m)
	}
	if os.Getenv("LISTEN_FDS") != "" {
		// systemd knows the process id when it sets the environment.
		os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	}
	main()
}

// process is a running exporter.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // once exited
	exited chan struct{}
}

// start starts the exporter inside ns, with the file, if any, as systemd would
// pass it, and ends it with the test.
func start(t *testing.T, ns *netns.NS, file *os.File, args ...string) *process {
	t.Helper()

	p := &process{cmd: exec.Command("/proc/self/exe", args...), exited: make(chan struct{})}
	p.cmd.Stderr = &p.stderr
	p.cmd.Env = append(os.Environ(), runMain+"=1")
	if file != nil {
		p.cmd.ExtraFiles = []*os.File{file}
		p.cmd.Env = append(p.cmd.Env, "LISTEN_FDS=1")
	}
	if err := ns.Start(p.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // status looks at what it found
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if t.Failed() {
			t.Logf("stderr of %v:\n%s", args, p.stderr.String())
		}
	})
	return p
}

// status returns the exit status, and fails the test if there is none in the
// time that the exporter has to stop.
func (p *process) status(t *testing.T) int {
	t.Helper()

	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(5 * time.Second):
		t.Fatal("the exporter does not end")
		return -1
	}
}

// stop sends a signal and checks that the exporter ends well.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()

	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if got, want := p.status(t), 0; got != want {
		t.Errorf("unexpected exit status after %v: got %d, want %d", signal, got, want)
	}
	if last := "msg=Stopped\n"; !strings.HasSuffix(p.stderr.String(), last) {
		t.Errorf("stderr does not end with %q", last)
	}
}

// dial connects to an address inside ns.
func dial(ctx context.Context, ns *netns.NS, address string) (conn net.Conn, err error) {
	err = ns.Do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return err
	})
	return conn, err
}

// get returns an error unless a request of url from inside ns is answered by
// status 200 and a body that contains want.
func get(ctx context.Context, ns *netns.NS, url, want string) error {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return dial(ctx, ns, address)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
		return fmt.Errorf("status %d and no %q in:\n%s", res.StatusCode, want, body)
	}
	return nil
}

func eventually(t *testing.T, ns *netns.NS, url, want string) {
	t.Helper()
	kerneltest.Eventually(t, 30*time.Second, func() error { return get(t.Context(), ns, url, want) })
}

// TestIntegrationCopies runs several exporters in one network namespace.
func TestIntegrationCopies(t *testing.T) {
	ns := kerneltest.NS(t)

	first := start(t, ns, nil)
	eventually(t, ns, "http://127.0.0.1:10100/-/ready", "group 100: bound since ")
	eventually(t, ns, "http://127.0.0.1:10100/metrics", "\nnflog_up{group=\"100\"} 1\n")
	eventually(t, ns, "http://127.0.0.1:10100/", "<li>group 100: bound since ")

	// A second one that wants the same port fails before it touches a group.
	clash := start(t, ns, nil, "--nflog.group=101")
	if got, want := clash.status(t), 1; got != want {
		t.Errorf("unexpected exit status with a port in use: got %d, want %d", got, want)
	}
	want := "nflog_exporter: error: --web.listen-address=\":10100\": must be HOST:PORT or :PORT of this host, not in use: " +
		"listen tcp :10100: bind: address already in use\n"
	if got := clash.stderr.String(); got != want {
		t.Errorf("unexpected stderr with a port in use: got %q, want %q", got, want)
	}

	// One that wants the same group stays up, and takes over.
	second := start(t, ns, nil, "--web.listen-address=:10101")
	eventually(t, ns, "http://127.0.0.1:10101/-/ready", "group 100: not bound: ")
	eventually(t, ns, "http://127.0.0.1:10101/metrics", "\nnflog_up{group=\"100\"} 0\n")
	first.stop(t, syscall.SIGTERM)
	eventually(t, ns, "http://127.0.0.1:10101/-/ready", "group 100: bound since ")
	second.stop(t, os.Interrupt)
}

// TestIntegrationSocketActivation passes a listening socket from another
// network namespace, where the exporter could not have opened one.
func TestIntegrationSocketActivation(t *testing.T) {
	outside, inside := kerneltest.NS(t), kerneltest.NS(t)

	var file *os.File
	err := outside.Do(func() error {
		l, err := net.Listen("tcp", "127.0.0.1:10100")
		if err != nil {
			return err
		}
		defer l.Close()
		file, err = l.(*net.TCPListener).File()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, inside, file, "--web.systemd-socket")
	file.Close()

	eventually(t, outside, "http://127.0.0.1:10100/-/ready", "group 100: bound since ")
	p.stop(t, syscall.SIGTERM)
}

// TestIntegrationStopWithBusyConnection stops an exporter to which a client
// has begun a request that it does not finish.
func TestIntegrationStopWithBusyConnection(t *testing.T) {
	ns := kerneltest.NS(t)
	p := start(t, ns, nil)
	eventually(t, ns, "http://127.0.0.1:10100/-/healthy", "ok")

	conn, err := dial(t.Context(), ns, "127.0.0.1:10100")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
		t.Fatal(err)
	}
	// Connections are accepted in order: where this one is, the other was.
	eventually(t, ns, "http://127.0.0.1:10100/-/healthy", "ok")
	p.stop(t, syscall.SIGTERM)
	if warning := "Cut off connections"; !strings.Contains(p.stderr.String(), warning) {
		t.Errorf("no %q on stderr", warning)
	}
}

// TestIntegrationHangup sends SIGHUP to an exporter that has no file to read again.
func TestIntegrationHangup(t *testing.T) {
	ns := kerneltest.NS(t)
	p := start(t, ns, nil)
	eventually(t, ns, "http://127.0.0.1:10100/-/ready", "group 100: bound since ")
	for range 3 {
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, ns, "http://127.0.0.1:10100/-/healthy", "ok")
	p.stop(t, syscall.SIGTERM)
}
