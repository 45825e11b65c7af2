// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/test/pipenet"
)

func TestMaxRequests(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	s := &fakeSource{collect: func(chan<- prometheus.Metric) {
		entered <- struct{}{}
		<-proceed
	}}
	o := testWebOptions()
	o.MaxRequests = 1
	h := testHandler(t, s, o)

	first := make(chan int)
	go func() {
		first <- request(t, h, "GET", "/metrics", nil).Code
	}()
	<-entered
	res := request(t, h, "GET", "/metrics", nil)
	if got, want := res.Code, 503; got != want {
		t.Errorf("unexpected status beyond the limit: got %d, want %d", got, want)
	}
	close(proceed)
	if got, want := <-first, 200; got != want {
		t.Errorf("unexpected status within the limit: got %d, want %d", got, want)
	}
}

// TestNoMaxRequests checks that 0 is no limit.
func TestNoMaxRequests(t *testing.T) {
	o := testWebOptions()
	o.MaxRequests = 0
	if res := request(t, testHandler(t, &fakeSource{}, o), "GET", "/metrics", nil); res.Code != 200 {
		t.Errorf("unexpected status: got %d, want 200", res.Code)
	}
}

// manyGroups returns a collector that does not run. Its metrics do not fit into the buffers of a connection.
func manyGroups(t *testing.T) *collector.Collector {
	t.Helper()
	var config collector.Config
	for group := range uint16(100) {
		config.Groups = append(config.Groups, collector.GroupConfig{Group: group})
	}
	c, err := collector.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// slowClient requests metrics, and returns when it has begun to read the response.
func slowClient(t *testing.T, l *pipenet.Listener) (conn net.Conn, rest *bufio.Reader) {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	rest = bufio.NewReaderSize(conn, 16) // so that it reads no more than the status line
	status, err := rest.ReadString('\n')
	if err != nil || status != "HTTP/1.1 200 OK\r\n" {
		t.Fatalf("unexpected start of a response: %q, %v", status, err)
	}
	return conn, rest
}

// waitFor waits until a condition is true.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not so after 10s")
		}
	}
}

// TestSlowClients has clients that read slowly. Others can gather meanwhile, but each client holds a slot until it has read
// its response.
func TestSlowClients(t *testing.T) {
	o := testWebOptions()
	o.MaxRequests = 3
	h := testHandler(t, manyGroups(t), o)
	l := pipenet.Listen()
	server := &http.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})

	_, first := slowClient(t, l)
	second, _ := slowClient(t, l)
	scrape := func(want int) *httptest.ResponseRecorder {
		t.Helper()
		res := request(t, h, "GET", "/metrics", nil)
		if res.Code != want {
			t.Errorf("unexpected status: got %d, want %d", res.Code, want)
		}
		return res
	}
	if body := scrape(200).Body.String(); !strings.Contains(body, "nflog_up{group=\"99\"} 0\n") {
		t.Errorf("not all is there:\n%s", body)
	}

	third, _ := slowClient(t, l)
	if body, want := scrape(503).Body.String(), "3 requests are being served already, try again later\n"; body != want {
		t.Errorf("unexpected body: got %q, want %q", body, want)
	}

	// One client reads all, and another one gives up. Both release their slots.
	if _, err := io.Copy(io.Discard, first); err != nil {
		t.Fatal(err)
	}
	second.Close()
	waitFor(t, func() bool { return request(t, h, "GET", "/metrics", nil).Code == 200 })
	third.Close()
}
