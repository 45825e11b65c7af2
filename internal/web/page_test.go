// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

func stateHandler(t *testing.T, state pageState) http.Handler {
	t.Helper()
	h, err := NewHandler(state.source, prometheus.NewRegistry(), state.program, testWebOptions(), log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestPageStates checks what the page says in all its states.
func TestPageStates(t *testing.T) {
	for _, state := range pageStates(time.Now()) {
		t.Run(state.name, func(t *testing.T) {
			body := request(t, stateHandler(t, state), "GET", "/", nil).Body.String()
			rest := body
			for _, text := range state.texts {
				_, after, found := strings.Cut(rest, text)
				if !found {
					t.Fatalf("no %q on the page, or not in its place:\n%s", text, body)
				}
				rest = after
			}
			t.Logf("%d bytes", len(body))
		})
	}
}

func TestPageFollowsState(t *testing.T) {
	s := &fakeSource{groups: []collector.GroupState{{Group: 100}}}
	h := testHandler(t, s, testWebOptions())

	res := request(t, h, "GET", "/", nil)
	body := res.Body.String()
	if got, want := res.Header().Get("Content-Type"), "text/html; charset=utf-8"; got != want {
		t.Errorf("unexpected content type: got %q, want %q", got, want)
	}
	for _, want := range []string{
		"nflog_exporter</title>", `<a href="/metrics">`, `<a href="/status.json">`, `<a href="/-/healthy">`, `<a href="/-/ready">`,
		"<h3>Group 100</h3>", "not tried yet",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the page:\n%s", want, body)
		}
	}
	if strings.Contains(body, "debug/pprof") {
		t.Error("page offers profiles, which are not served")
	}

	s = &fakeSource{groups: []collector.GroupState{{Group: 100, Tried: true, Reason: `held by "<script>"`}}}
	body = request(t, testHandler(t, s, testWebOptions()), "GET", "/", nil).Body.String()
	if want := "<h1>Group 100 is not read: held by &#34;&lt;script&gt;&#34;.</h1>"; !strings.Contains(body, want) {
		t.Errorf("no %q on the page:\n%s", want, body)
	}
}
