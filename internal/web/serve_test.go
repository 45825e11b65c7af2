// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

// serveTCP serves a fake source for the test, and returns the first address.
func serveTCP(t *testing.T, o config.Web) (address string) {
	t.Helper()
	listeners, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	logger, slogger := logging.New(io.Discard, "error", "logfmt")
	s := Serve(listeners, testHandler(t, &fakeSource{}, o), o, logger, slogger)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		s.shutdown(context.Background())
	})
	return listeners[0].Addr().String()
}

// TestServeWithWebConfig serves on two listeners with basic authentication. The race detector finds what they share of what
// the toolkit changes.
func TestServeWithWebConfig(t *testing.T) {
	o := testWebOptions()
	*o.Toolkit.WebConfigFile = filepath.Join(t.TempDir(), "web.yml")
	*o.Toolkit.WebListenAddresses = []string{"127.0.0.1:0", "127.0.0.1:0"}
	// The password is "secret".
	file := "basic_auth_users: {prom: $2a$04$3DPgUKkm.rMIO9gxeUyTuuURTbh3QeQtq8KAPzC5L/hrqG4.1aeBe}\n"
	if err := os.WriteFile(*o.Toolkit.WebConfigFile, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	listeners, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	logger, slogger := logging.New(io.Discard, "error", "logfmt")
	s := Serve(listeners, testHandler(t, &fakeSource{}, o), o, logger, slogger)

	for _, l := range listeners {
		for password, want := range map[string]int{"secret": 200, "other": 401} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/-/healthy", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth("prom", password)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.StatusCode; got != want {
				t.Errorf("password %s: unexpected status: got %d, want %d", password, got, want)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()

	if !s.shutdown(t.Context()) {
		t.Error("idle servers were cut off")
	}
	for range listeners {
		if err := <-s.failed; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("unexpected error: got %v, want %v", err, http.ErrServerClosed)
		}
	}
}
