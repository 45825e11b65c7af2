// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestBuffered checks that the response is the one that the handler writes.
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

// A stuck client does not read its response until read is closed.
type stuck struct {
	*httptest.ResponseRecorder
	read chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.read
	return len(p), nil
}

// TestBufferedWaits has clients that do not read large responses: there is memory for one. Clients that accept compressed
// responses do not wait for them.
func TestBufferedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		h := buffered(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			made++
			size := maxUnread * 2 / 3
			if req.Header.Get("Accept-Encoding") != "" {
				size = 10
			}
			w.Write(make([]byte, size))
		}))
		check := func(want int) {
			t.Helper()
			synctest.Wait()
			if made != want {
				t.Fatalf("%d responses were made, want %d", made, want)
			}
		}
		request(t, h, "GET", "/", nil)
		check(1)

		var clients []*stuck
		for range 3 {
			client := &stuck{httptest.NewRecorder(), make(chan struct{})}
			clients = append(clients, client)
			go h.ServeHTTP(client, httptest.NewRequest(http.MethodGet, "/", nil))
		}
		check(2)
		for range 10 {
			request(t, h, "GET", "/", http.Header{"Accept-Encoding": {"gzip"}})
		}
		check(12)
		for _, client := range clients {
			close(client.read)
		}
		check(14)
	})
}
