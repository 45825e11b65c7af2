// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

const (
	// group is the NFLOG group that the exporter reads by default.
	group = 100

	// address is the exporter's listen address, in its namespace.
	address = "127.0.0.1:10100"
)

// program is the exporter, with the race detector if this test binary has it. The
// file has no name any more, so that nothing remains after the test.
var program = sync.OnceValues(func() (*os.File, error) {
	dir, err := os.MkdirTemp("", "nflog_exporter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "nflog_exporter")
	args := []string{"build", "-buildvcs=false", "-pgo=off", "-o", path}
	if kerneltest.RaceEnabled() {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = "../.." // with the exporter's own go.mod, not with that of the tests
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.Open(path)
})

// startExporter runs the exporter in a namespace until the end of the test, and
// waits until it has bound the group.
func startExporter(t *testing.T, ns *netns.NS, flags ...string) {
	t.Helper()
	kerneltest.Require(t, "go")
	file, err := program()
	must(t, err)
	var log bytes.Buffer
	// The kernel sends logged packets within 10 ms.
	cmd := exec.Command(fmt.Sprintf("/proc/self/fd/%d", file.Fd()), append(flags, "--nflog.queue-timeout=10ms")...)
	cmd.Stderr = &log
	// By default, the race detector delays the exit of a program by a second.
	cmd.Env = append(cmd.Environ(), "GORACE=atexit_sleep_ms=10")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, ns.Start(cmd))
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended; then Wait tells how
		if err := cmd.Wait(); err != nil {
			t.Errorf("the exporter has failed: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the exporter:\n%s", log.Bytes())
		}
	})
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, ns) },
	}}
	kerneltest.Eventually(t, patience, func() error {
		res, err := client.Get("http://" + address + "/-/ready")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("not ready: %s", res.Status)
		}
		return nil
	})
}

// dial connects to the exporter in a namespace.
func dial(ctx context.Context, ns *netns.NS) (conn net.Conn, err error) {
	err = ns.Do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return err
	})
	return conn, err
}
