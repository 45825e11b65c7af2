// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

func TestLandingPageFollowsState(t *testing.T) {
	s := &fakeSource{groups: []collector.GroupState{{Group: 100}}}
	h := testHandler(t, s, testWebOptions())

	res := request(t, h, "GET", "/", nil)
	body := res.Body.String()
	if got, want := res.Header().Get("Content-Type"), "text/html; charset=UTF-8"; got != want {
		t.Errorf("unexpected content type: got %q, want %q", got, want)
	}
	for _, want := range []string{
		"<h1>nflog_exporter</h1>", `<a href="/metrics">`, `<a href="/-/healthy">`, `<a href="/-/ready">`,
		"<li>group 100: not tried yet</li>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the page:\n%s", want, body)
		}
	}
	if strings.Contains(body, "debug/pprof") {
		t.Error("page offers profiles, which are not served")
	}

	s.groups = []collector.GroupState{{Group: 100, Tried: true, Reason: `held by "<script>"`}}
	body = request(t, h, "GET", "/", nil).Body.String()
	if want := "<li>group 100: not bound: held by &#34;&lt;script&gt;&#34;</li>"; !strings.Contains(body, want) {
		t.Errorf("no %q on the page:\n%s", want, body)
	}
}
