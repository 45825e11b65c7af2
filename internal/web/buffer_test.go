// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
)

// stuck is a client that does not read its answer until it is let.
type stuck struct {
	*httptest.ResponseRecorder
	read chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.read
	return len(p), nil
}

// TestBufferedWaits has clients that don't read large answers: there is memory for one. Those that take compressed answers
// don't wait for them.
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
				t.Fatalf("%d answers were made, want %d", made, want)
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
