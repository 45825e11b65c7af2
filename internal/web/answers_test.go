// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// TestAnswer checks that the response is the one that the handler writes.
func TestAnswer(t *testing.T) {
	long := strings.Repeat("nflog_packets_total 1\n", 10_000)
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  int
		header  http.Header
		body    string
	}{
		{name: "nothing", handler: func(http.ResponseWriter, *http.Request) {}, status: 200, header: http.Header{"Content-Length": {"0"}}},
		{
			name: "several writes",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain; version=0.0.4")
				for i := range 3 {
					fmt.Fprintf(w, "%d\n", i)
				}
			},
			status: 200,
			header: http.Header{"Content-Type": {"text/plain; version=0.0.4"}, "Content-Length": {"6"}},
			body:   "0\n1\n2\n",
		},
		{
			name:    "long",
			handler: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long) },
			status:  200,
			header:  http.Header{"Content-Length": {"220000"}},
			body:    long,
		},
		{
			name: "error",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "no metrics", http.StatusInternalServerError)
			},
			status: 500,
			header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}, "Content-Length": {"11"}},
			body:   "no metrics\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := request(t, newSending(testAnswers(tt.handler), 40), "GET", "/", nil).Result()
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

// testAnswers returns answers that the handler makes.
func testAnswers(h http.HandlerFunc) *answers {
	a := newAnswers(prometheus.NewMultiTRegistry(), promhttp.HandlerOpts{EnableOpenMetrics: true})
	a.handler = h
	return a
}

// encoded answers with the encoding of the request.
func encoded(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Encoding", req.Header.Get("Accept-Encoding"))
}

// TestAnswerEncoding checks that a client gets the encoding that promhttp negotiates, by weight.
func TestAnswerEncoding(t *testing.T) {
	for accept, want := range map[string]string{
		"": "identity", "gzip": "gzip", "gzip, deflate, br": "gzip", "GZIP": "identity", "*": "identity",
		"gzip;q=0": "identity", "gzip; q=0.0": "identity", "gzip;q=0, *": "identity", "gzip;q=0.001": "gzip",
		"gzip;q=0.5, identity;q=0.4": "gzip", "gzip;q=0.4, identity;q=0.5": "identity", "identity;q=0, gzip": "gzip",
		"gzip;q=0, identity;q=0": "identity", "x-gzip": "identity", "no gzip please": "identity",
	} {
		a := newAnswers(prometheus.NewMultiTRegistry(), promhttp.HandlerOpts{})
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Header.Set("Accept-Encoding", accept)
		if f, _ := a.form(req); f.encoding != want {
			t.Errorf("Accept-Encoding %q: form %s, want %s", accept, f.encoding, want)
		}
		a.handler = http.HandlerFunc(encoded)
		if got := a.get(req).header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got %s, want %s", accept, got, want)
		}

		// The client of promhttp alone gets the same.
		w := httptest.NewRecorder()
		promhttp.HandlerForTransactional(prometheus.NewMultiTRegistry(), promhttp.HandlerOpts{}).ServeHTTP(w, req)
		if got := w.Header().Get("Content-Encoding"); got != want && (got != "" || want != "identity") {
			t.Errorf("Accept-Encoding %q: promhttp answers with %q, want %s", accept, got, want)
		}
	}
}

// TestAnswersAreShared checks which requests get the same answer, and for how long.
func TestAnswersAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, cost := 0, 50*time.Millisecond
		h := newSending(testAnswers(func(http.ResponseWriter, *http.Request) {
			made++
			time.Sleep(cost)
		}), 0)
		check := func(want int) {
			t.Helper()
			synctest.Wait()
			if made != want {
				t.Fatalf("%d answers were made, want %d", made, want)
			}
		}
		text, gzip := http.Header{}, http.Header{"Accept-Encoding": {"gzip"}}
		openMetrics := http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}}

		for range 100 {
			for _, header := range []http.Header{text, gzip, openMetrics, {"Accept": {"*/*"}, "User-Agent": {"x"}}} {
				go request(t, h, "GET", "/", header)
			}
		}
		time.Sleep(time.Second / 4)
		check(3)
		request(t, h, "GET", "/", text)
		check(3)
		time.Sleep(time.Second / 2) // ten times what the answer took
		request(t, h, "GET", "/", text)
		check(4)

		cost = time.Second / 2
		time.Sleep(time.Second)
		request(t, h, "GET", "/", text)
		check(5)
		time.Sleep(400 * time.Millisecond)
		request(t, h, "GET", "/", text)
		check(5)
		time.Sleep(200 * time.Millisecond)
		request(t, h, "GET", "/", text)
		check(6)

		// Requests of metrics by name have answers of their own, but few wait at a time.
		var refused atomic.Int32
		for i := range 10 {
			go func() {
				if request(t, h, "GET", fmt.Sprintf("/?name[]=%d", i), text).Code == 503 {
					refused.Add(1)
				}
			}()
		}
		time.Sleep(time.Minute)
		check(6 + maxFiltered)
		if got := refused.Load(); got != 10-maxFiltered {
			t.Errorf("%d requests by name were refused, want %d", got, 10-maxFiltered)
		}
	})
}

// TestAnswerPanics checks that a panic releases all who wait for the answer.
func TestAnswerPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics := true
		h := newSending(testAnswers(func(http.ResponseWriter, *http.Request) {
			time.Sleep(50 * time.Millisecond)
			if panics {
				panic("test")
			}
		}), 0)
		go func() {
			defer func() { recover() }()
			request(t, h, "GET", "/", nil)
		}()
		synctest.Wait()
		if got := request(t, h, "GET", "/", nil).Code; got != 500 {
			t.Errorf("unexpected status: got %d, want 500", got)
		}
		time.Sleep(time.Second)
		panics = false
		if got := request(t, h, "GET", "/", nil).Code; got != 200 {
			t.Errorf("unexpected status later: got %d, want 200", got)
		}
	})
}
