// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// topSources are the sources of a scan, of a flood of forged addresses, and of a prefix that someone chose who may write rules.
func topSources() []collector.GroupSources {
	since := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	return []collector.GroupSources{{Group: 100, NetNS: "blue", Prefixes: []collector.PrefixSources{
		{
			Prefix: "scan", Since: since, Packets: 12345, Distinct: 40.4, MaxError: 7,
			Sources: []collector.TopSource{
				{Address: "192.0.2.1", AtLeast: 10000, Packets: 10007, Bytes: 600000, Share: 0.81, StandsOut: true, Ports: []string{"22", "registered"}, First: since.Add(time.Second), Last: since.Add(time.Minute)},
				{Address: "2001:db8:1:2::/64", AtLeast: 20, Packets: 20, Bytes: 1200, Share: 0.0016, Ports: []string{}, First: since, Last: since},
			},
		},
		{Prefix: "flood", Since: since, Packets: 1_000_000, Distinct: 998_000.4, MaxError: 9000},
		{Prefix: `<script>alert("&")</script>`, Since: since},
	}}}
}

func getTop(t *testing.T, s *fakeSource, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	testHandler(t, s, testWebOptions()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, http.NoBody))
	return w
}

func TestTopPage(t *testing.T) {
	s := &fakeSource{top: topSources()}
	w := getTop(t, s, "/top")
	if got := w.Header().Get(policyHeader); !strings.HasPrefix(got, policy+"; style-src 'sha256-") {
		t.Errorf("the policy is %q", got)
	}
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
	body := w.Body.String()
	for _, want := range []string{
		"12,345 packets since 12:00:00 UTC from about 40 sources.", "1 of them stands out", "192.0.2.1</th>", "10,000 to 10,007", "81.0 %",
		"22, registered", "2001:db8:1:2::/64", "from about 998,000 sources. No source stands out", "group 100 in blue",
		"&lt;script&gt;alert(&#34;&amp;&#34;)&lt;/script&gt;", "too high by up to 7 packets", "standard error of 2.3 %",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "<script") {
		t.Error("the page has a script")
	}

	alone := getTop(t, s, "/top?prefix=flood").Body.String()
	if strings.Contains(alone, "192.0.2.1") || !strings.Contains(alone, "998,000") {
		t.Errorf("unexpected page of one prefix:\n%s", alone)
	}
	if none := getTop(t, s, "/top?prefix=x").Body.String(); !strings.Contains(none, "Nothing yet") {
		t.Errorf("unexpected page of an unknown prefix:\n%s", none)
	}
}

func TestTopJSON(t *testing.T) {
	w := getTop(t, &fakeSource{top: topSources()}, "/top.json")
	var got Top
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Prefixes) != 3 || got.DistinctError == 0 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("unexpected JSON: %s", w.Body)
	}
	r := topSources()[0].Prefixes[0]
	want := topPrefix{
		Group: 100, NetNS: "blue", Prefix: "scan", Since: r.Since, Packets: 12345, Distinct: 40, MaxError: 7,
		Sources: []topSource{topSource(r.Sources[0]), topSource(r.Sources[1])},
	}
	if diff := cmp.Diff(want, got.Prefixes[0]); diff != "" {
		t.Errorf("unexpected prefix (-want +got):\n%s", diff)
	}
}

// TestTopOff checks that nothing is served unless it was asked for.
func TestTopOff(t *testing.T) {
	for _, path := range []string{"/top", "/top.json"} {
		if w := getTop(t, &fakeSource{}, path); w.Code != http.StatusNotFound {
			t.Errorf("%s has status %d", path, w.Code)
		}
	}
}

// TestTopManyPrefixes checks that the page is bounded, and that the JSON has all.
func TestTopManyPrefixes(t *testing.T) {
	var prefixes []collector.PrefixSources
	for i := range 150 {
		prefixes = append(prefixes, collector.PrefixSources{Prefix: fmt.Sprintf("prefix %03d", i), Packets: 1})
	}
	s := &fakeSource{top: []collector.GroupSources{{Group: 100, Prefixes: prefixes}}}
	if body := getTop(t, s, "/top").Body.String(); strings.Count(body, `<section class="sources">`) != 100 || !strings.Contains(body, "50 more prefixes") {
		t.Errorf("%d prefixes on the page", strings.Count(body, `<section class="sources">`))
	}
	if body := getTop(t, s, "/top.json").Body.String(); strings.Count(body, `"prefix":"prefix`) != 150 {
		t.Error("not all prefixes are in the JSON")
	}
}

// TestTopLinked checks that the page links to the sources of each prefix if there are any, and not otherwise.
func TestTopLinked(t *testing.T) {
	status := &collector.Status{Prefixes: []collector.PrefixStatus{prefixOf(time.Now(), 100, "fw drop & log", 5)}}
	const link = `href="/top?prefix=fw%20drop%20%26%20log"`
	if body := getTop(t, &fakeSource{status: status, top: topSources()}, "/").Body.String(); !strings.Contains(body, link) || !strings.Contains(body, `href="/top"`) {
		t.Errorf("no link %s on the page:\n%s", link, body)
	}
	if body := getTop(t, &fakeSource{status: status}, "/").Body.String(); strings.Contains(body, `"/top`) {
		t.Error("the page links to sources that nobody asks for")
	}
}
