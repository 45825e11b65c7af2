// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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

// TestPageSafe checks that no part of the page needs what the policy forbids, and that what others choose is escaped.
func TestPageSafe(t *testing.T) {
	for _, state := range pageStates(time.Now()) {
		body := request(t, stateHandler(t, state), "GET", "/", nil).Body.String()
		forbidden := regexp.MustCompile(`<(script|link|img|form|iframe|object)|<[^>]* (style|src|on\w+)=|javascript:|@import|url\(|<b>shop|<guests>`)
		if m := forbidden.FindString(body); m != "" {
			t.Errorf("%s: the page has %s", state.name, m)
		}
		if strings.Count(body, "<style>") != 1 {
			t.Errorf("%s: %d style sheets", state.name, strings.Count(body, "<style>"))
		}
		if strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "%!") || strings.Contains(body, "0xc0") {
			t.Errorf("%s: the template made a mistake:\n%s", state.name, body)
		}
	}
}

// TestPageColors checks that text can be read: a contrast of at least 4.5, as WCAG 2.2 asks for, in light, in dark and in print.
func TestPageColors(t *testing.T) {
	sets := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(styleText, -1)
	if len(sets) != 3 {
		t.Fatalf("%d sets of colors, want 3", len(sets))
	}
	for i, set := range sets {
		colors := make(map[string]float64)
		for _, m := range regexp.MustCompile(`--(\w+): #([0-9a-f]+)`).FindAllStringSubmatch(set[1], -1) {
			colors[m[1]] = luminance(t, m[2])
		}
		if len(colors) < 12 {
			t.Fatalf("%d colors in %s", len(colors), set[0])
		}
		pairs := [][2]string{{"onaccent", "accent"}, {"text", "well"}, {"soft", "well"}}
		for _, on := range []string{"page", "card"} {
			for _, text := range []string{"text", "soft", "ok", "hint", "warning", "bad", "accent"} {
				pairs = append(pairs, [2]string{text, on})
			}
		}
		for _, p := range pairs {
			a, b := colors[p[0]], colors[p[1]]
			if contrast := (max(a, b) + 0.05) / (min(a, b) + 0.05); contrast < 4.5 {
				t.Errorf("set %d: the contrast of %s on %s is %.2f, want 4.5", i, p[0], p[1], contrast)
			}
		}
	}
}

// luminance returns the relative luminance of a color, as WCAG 2.2 defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = hex[:1] + hex[:1] + hex[1:2] + hex[1:2] + hex[2:] + hex[2:]
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("%q is no color", hex)
	}
	linear := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

func TestPageRefresh(t *testing.T) {
	h := testHandler(t, &fakeSource{}, testWebOptions())
	for query, want := range map[string]string{
		"": "", "?refresh=10": "10", "?refresh=1": "5", "?refresh=99999": "3600", "?refresh=0": "", "?refresh=-3": "", "?refresh=10;url=//example.com": "",
	} {
		if got := request(t, h, "GET", "/"+query, nil).Header().Get("Refresh"); got != want {
			t.Errorf("%s: the header Refresh is %q, want %q", query, got, want)
		}
	}
}

// TestPageForms checks who gets JSON, and who gets it compressed.
func TestPageForms(t *testing.T) {
	h := testHandler(t, &fakeSource{groups: []collector.GroupState{{Group: 100}}}, testWebOptions())
	for _, tt := range []struct {
		path, accept, encoding         string
		wantType, wantEncoding, inBody string
	}{
		{"/", "", "", htmlType, "", "<h3>Group 100</h3>"},
		{"/", "text/html,application/xhtml+xml,*/*;q=0.8", "gzip, deflate, br", htmlType, "gzip", "<h3>Group 100</h3>"},
		{"/", "application/json", "", jsonType, "", `"group":100`},
		{"/", "application/json", "br;q=1.0, gzip;q=0.5", jsonType, "gzip", `"group":100`},
		{"/status.json", "", "gzip;q=0", jsonType, "", `"group":100`},
		{"/status.json", "text/html", "deflate", jsonType, "", `"group":100`},
	} {
		header := http.Header{}
		if tt.accept != "" {
			header.Set("Accept", tt.accept)
		}
		if tt.encoding != "" {
			header.Set("Accept-Encoding", tt.encoding)
		}
		res := request(t, h, "GET", tt.path, header)
		if got := res.Header().Get("Content-Type"); got != tt.wantType {
			t.Errorf("%+v: the content type is %s", tt, got)
		}
		if got := res.Header().Get("Content-Encoding"); got != tt.wantEncoding {
			t.Errorf("%+v: the encoding is %s", tt, got)
		}
		var body io.Reader = res.Body
		if tt.wantEncoding != "" {
			zip, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = zip
		}
		text, err := io.ReadAll(body)
		if err != nil || !strings.Contains(string(text), tt.inBody) {
			t.Errorf("%+v: the body is %s, %v", tt, text, err)
		}
	}
}

// TestPageLimits checks that views of the page count against the limit of scrapes, and that views at a time share an answer.
func TestPageLimits(t *testing.T) {
	o := testWebOptions()
	o.MaxRequests = 1
	s := &fakeSource{groups: []collector.GroupState{{Group: 100}}}
	asked := 0
	s.asked = func() { asked++; time.Sleep(20 * time.Millisecond) }
	synctest.Test(t, func(t *testing.T) {
		h := testHandler(t, s, o)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if res := request(t, h, "GET", "/", nil); res.Code != http.StatusOK {
					t.Errorf("status %d: %s", res.Code, res.Body)
				}
			})
		}
		wg.Wait()
		if asked != 1 {
			t.Errorf("ten views asked for the status %d times", asked)
		}

		// A client that reads no metrics holds up the page, as it does a scrape.
		slow := &stalledWriter{header: make(http.Header), release: make(chan struct{})}
		wg.Go(func() { h.ServeHTTP(slow, httptest.NewRequest(http.MethodGet, "/metrics", nil)) })
		synctest.Wait()
		began := time.Now()
		res := request(t, h, "GET", "/status.json", nil)
		if took := time.Since(began); res.Code != http.StatusOK || took < stalled {
			t.Errorf("status %d after %v, want 200 once the other has read nothing for %v", res.Code, took, stalled)
		}
		close(slow.release)
		wg.Wait()
	})
}

// A stalledWriter takes nothing until it is released.
type stalledWriter struct {
	header  http.Header
	release chan struct{}
}

func (w *stalledWriter) Header() http.Header { return w.header }

func (w *stalledWriter) WriteHeader(int) {}

func (w *stalledWriter) Write(p []byte) (int, error) {
	<-w.release
	return len(p), nil
}

// BenchmarkPage makes the page and the JSON of the states.
func BenchmarkPage(b *testing.B) {
	for _, state := range pageStates(time.Now()) {
		p := newPage(state.source, state.program, "/metrics")
		b.Run(state.name, func(b *testing.B) {
			for b.Loop() {
				if err := p.writeHTML(&response{answer: newAnswer()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
