// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSecurityHeaders checks the headers of pages, and of answers that net/http makes.
func TestSecurityHeaders(t *testing.T) {
	h := testHandler(t, &fakeSource{}, testWebOptions())
	for path, status := range map[string]int{"/": 200, "/-/ready": 200, "/metrics": 200, "/nothing": 404, "//metrics": 307} {
		res := request(t, h, "GET", path, nil)
		if res.Code != status {
			t.Errorf("%s: unexpected status: got %d, want %d", path, res.Code, status)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
			if got := res.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		want := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if path == "/" {
			_, style, _ := strings.Cut(res.Body.String(), "<style>")
			style, _, _ = strings.Cut(style, "</style>")
			sum := sha256.Sum256([]byte(style))
			want += "; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
		if got := res.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: Content-Security-Policy is %q, want %q", path, got, want)
		}
	}
}

// TestSecurityHeadersConfigured checks that what the web configuration file has set stays.
func TestSecurityHeadersConfigured(t *testing.T) {
	h := testHandler(t, &fakeSource{}, testWebOptions())
	w := httptest.NewRecorder()
	w.Header().Set("X-Frame-Options", "sameorigin")
	w.Header().Set("Content-Security-Policy", "default-src 'self'")
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got := w.Header().Get("X-Frame-Options"); got != "sameorigin" {
		t.Errorf("X-Frame-Options is %q", got)
	}
	if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("Content-Security-Policy is %q", got)
	}
}
