// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/test/pipenet"
)

// TestBuffered checks that an answer is what the handler makes of it.
func TestBuffered(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  int
		header  http.Header
		body    string
	}{
		{name: "nothing", handler: func(http.ResponseWriter, *http.Request) {}, status: 200, header: http.Header{}},
		{
			name: "several writes",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain; version=0.0.4")
				for i := range 3 {
					fmt.Fprintf(w, "%d\n", i)
				}
				w.Header().Set("Content-Encoding", "none")
			},
			status: 200,
			header: http.Header{"Content-Type": {"text/plain; version=0.0.4"}, "Content-Encoding": {"none"}},
			body:   "0\n1\n2\n",
		},
		{
			name: "error",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "no metrics", http.StatusInternalServerError)
			},
			status: 500,
			header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}},
			body:   "no metrics\n",
		},
		{
			name: "no content",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Vary", "Accept")
				w.Header().Add("Vary", "Accept-Encoding")
				w.WriteHeader(http.StatusNoContent)
			},
			status: 204,
			header: http.Header{"Vary": {"Accept", "Accept-Encoding"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := request(t, buffered(tt.handler), "GET", "/", nil).Result()
			defer res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("unexpected status: got %d, want %d", res.StatusCode, tt.status)
			}
			if diff := cmp.Diff(tt.header, res.Header); diff != "" {
				t.Errorf("unexpected header (-want +got):\n%s", diff)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.body, string(body)); diff != "" {
				t.Errorf("unexpected body (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMetricsCompressed checks that an answer is compressed for those who ask for that.
func TestMetricsCompressed(t *testing.T) {
	h := testHandler(t, &fakeReader{}, testWebOptions())
	res := request(t, h, "GET", "/metrics", http.Header{"Accept-Encoding": {"gzip"}})
	if got, want := res.Header().Get("Content-Encoding"), "gzip"; got != want {
		t.Errorf("unexpected encoding: got %q, want %q", got, want)
	}
	r, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(body), "nflog_up{group=\"100\"} 1\n") {
		t.Errorf("unexpected body: %v\n%s", err, body)
	}
}

// manyGroups returns a collector that does not run, whose metrics don't fit into the buffers of a connection.
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

// slowClient asks for metrics, and returns when it has begun to read the answer.
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
	rest = bufio.NewReaderSize(conn, 16) // what it reads, the server has written
	status, err := rest.ReadString('\n')
	if err != nil || status != "HTTP/1.1 200 OK\r\n" {
		t.Fatalf("unexpected begin of an answer: %q, %v", status, err)
	}
	return conn, rest
}

// TestSlowClients has clients that read slowly. They keep nobody from gathering, but each counts as a request
// until it has read its answer.
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

	// The end of one, and of another that has lost its patience, makes room.
	if _, err := io.Copy(io.Discard, first); err != nil {
		t.Fatal(err)
	}
	second.Close()
	waitFor(t, func() bool { return request(t, h, "GET", "/metrics", nil).Code == 200 })
	third.Close()
}

// TestNoMaxRequests checks that 0 is no limit.
func TestNoMaxRequests(t *testing.T) {
	o := testWebOptions()
	o.MaxRequests = 0
	if res := request(t, testHandler(t, &fakeReader{}, o), "GET", "/metrics", nil); res.Code != 200 {
		t.Errorf("unexpected status: got %d, want 200", res.Code)
	}
}

// waitFor waits for a condition.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not so after 10s")
		}
	}
}
