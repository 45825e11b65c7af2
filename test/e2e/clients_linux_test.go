// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A hostileClient is one of many that do the same.
type hostileClient struct {
	name  string
	count int
	send  string
	pause time.Duration // until it connects again, when it is cut off
}

// hostileClients together ask for far more than the exporter has.
func hostileClients() []hostileClient {
	const metrics = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
	return []hostileClient{
		{name: "unread metrics", count: 45, send: metrics + "\r\n"},
		{name: "unread metrics by weight", count: 12, send: metrics + "Accept-Encoding: gzip;q=0\r\n\r\n"},
		{name: "unread compressed metrics", count: 45, send: strings.Repeat(metrics+"Accept-Encoding: gzip\r\n\r\n", 20)},
		{name: "unread OpenMetrics", count: 12, send: metrics + "Accept: application/openmetrics-text;version=1.0.0\r\n\r\n"},
		{name: "unread protocol buffers", count: 12, send: metrics +
			"Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited\r\n\r\n"},
		{name: "unread metrics by name", count: 12, send: "GET /metrics?name[]=nflog_packets_total HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		{name: "unread pages", count: 60, send: strings.Repeat("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000)},
		{name: "unfinished header", count: 70, send: metrics + "X-Long: " + strings.Repeat("x", 1<<20)},
		{name: "unfinished body", count: 60, send: "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"},
		{name: "idle", count: 5700, pause: 5 * time.Second},
	}
}

// TestIntegrationHostileClients has many clients at once that do not read, do not finish requests or do nothing, for 15 seconds,
// and in CI for a minute. All that they use fits into the memory limit of the Helm chart, with as many label sets as there may be
// by default. A client like Prometheus gets every scrape within the timeout that Prometheus has by default.
func TestIntegrationHostileClients(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 seconds")
	}
	if kerneltest.RaceEnabled() {
		t.Skip("runs the released exporter, which another run of the tests does; TestIntegrationEverything has these clients, too")
	}
	period := 15 * time.Second // longer than the exporter waits for a client that does not read, or for a header
	if os.Getenv("CI") != "" {
		period = time.Minute
	}
	const (
		interval = time.Second
		timeout  = 10 * time.Second
		limit    = 128 << 20
		rules    = 2300
	)
	group := newMemoryGroup(t, limit)
	ns := kerneltest.NS(t)
	logAll(t, ns, rules)
	e := launch(t, ns, group.command(built(t, released)))
	e.awaitReady(t)
	must(t, traffic.UDP(ns, toPort(loopback4), 4, 10))
	e.awaitDrained(t)
	if err := e.mustScrape(t).expect(2201, "nflog_label_sets"); err != nil {
		t.Fatal(err)
	}

	ctx := t.Context()
	prometheus := &http.Client{Timeout: timeout, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) },
	}}
	if err := e.scrapeLikePrometheus(ctx, prometheus); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("GOMEMLIMIT=%d\n", limit*4/5); len(e.log.lines(want)) != 1 {
		t.Errorf("no %q in the log", want)
	}
	stopClients := startHostileClients(t, e)
	var slowest time.Duration
	scrapes, failures := 0, 0
	for began := time.Now(); time.Since(began) < period; {
		at := time.Now()
		err := e.scrapeLikePrometheus(ctx, prometheus)
		took := time.Since(at)
		slowest = max(slowest, took)
		scrapes++
		if err != nil {
			failures++
			t.Errorf("scrape %d failed after %v: %v", scrapes, took, err)
		}
		select {
		case <-e.exited:
			t.Fatalf("the exporter has ended: %v", e.cmd.ProcessState)
		case <-time.After(interval - took):
		}
	}
	stopClients()
	prometheus.CloseIdleConnections()
	t.Logf("%d scrapes, the slowest in %v; the exporter used at most %.1f MiB, its control group %.1f MiB",
		scrapes, slowest, float64(e.memory(t, "VmHWM"))/(1<<20), float64(group.peak())/(1<<20))
	if lines := e.log.lines(""); len(lines) > 100 {
		t.Errorf("%d lines are in the log", len(lines))
	}
	kerneltest.Eventually(t, timeout, func() error {
		s, err := e.scrape(t.Context())
		if err == nil {
			err = s.expect(0, "nflog_lost_packets_total")
		}
		return err
	})
	e.stopLogged(t, syscall.SIGTERM)
}

// startHostileClients starts the clients in a process of their own. It has low priority, as clients are not on the exporter's host.
func startHostileClients(t *testing.T, e *exporter) (stop func()) {
	t.Helper()
	cmd := testBinary(roleHostile)
	cmd.Env = append(cmd.Env, addressVar+"="+e.address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	must(t, err, e.ns.Start(cmd))
	stop = sync.OnceFunc(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("clients failed: %v: %s", err, log.Bytes())
		}
	})
	t.Cleanup(stop)
	return stop
}

// runHostileClients runs the clients until standard input ends.
func runHostileClients() error {
	const files = 8000
	limit := unix.Rlimit{Cur: files, Max: files}
	if err := errors.Join(
		unix.Setrlimit(unix.RLIMIT_NOFILE, &limit),
		unix.Setpriority(unix.PRIO_PROCESS, 0, 19),
	); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for _, c := range hostileClients() {
		for range c.count {
			clients.Go(func() { c.run(ctx, os.Getenv(addressVar)) })
		}
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	cancel()
	clients.Wait()
	return err
}

// run connects and sends again and again.
func (c hostileClient) run(ctx context.Context, address string) {
	for ctx.Err() == nil {
		c.once(ctx, address)
		select {
		case <-ctx.Done():
		case <-time.After(max(c.pause, 200*time.Millisecond)):
		}
	}
}

// once connects, sends, and waits until the exporter closes the connection. It reads nothing.
func (c hostileClient) once(ctx context.Context, address string) {
	const from = "127.0.0.2" // another host than that of the client like Prometheus
	dialer := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 2048) })
	}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := io.WriteString(conn, c.send); err != nil {
		return
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	for ctx.Err() == nil && err == nil {
		var info *unix.TCPInfo
		_ = raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
		const established = 1 // TCP_ESTABLISHED of include/net/tcp_states.h
		if info == nil || info.State != established {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// scrapeLikePrometheus requests metrics as Prometheus does, and reads all of them.
func (e *exporter) scrapeLikePrometheus(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.address+"/metrics", http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1")
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	uncompressed, err := gzip.NewReader(res.Body)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(uncompressed)
	if err == nil && !bytes.HasSuffix(body, []byte("# EOF\n")) {
		err = fmt.Errorf("%d bytes without an end", len(body))
	}
	return err
}
