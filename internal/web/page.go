// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"compress/gzip"
	_ "embed" // the template
	"encoding/json"
	"html/template"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"github.com/nflog-exporter/nflog_exporter/internal/status"
)

const (
	htmlType = "text/html; charset=utf-8"
	jsonType = "application/json"
)

// Bounds of the parameter refresh, in seconds.
const (
	minRefresh = 5
	maxRefresh = 3600
)

//go:embed page.html
var pageText string

// styleText has the style sheet of this page and of topPage.
//
//go:embed style.html
var styleText string

// A page says how the exporter is: to people, and as JSON.
type page struct {
	source        Source
	program       Program
	telemetryPath string
	exporter      status.Exporter
	template      *template.Template
}

func newPage(s Source, p Program, telemetryPath string) *page {
	host, _ := os.Hostname() // empty if it has none
	return &page{
		source:        s,
		program:       p,
		telemetryPath: telemetryPath,
		exporter: status.Exporter{
			Version: cmp.Or(version.Version, "(development build)"), // a plain go build sets no version
			Host:    host,
			Started: time.Now(),
		},
		template: template.Must(template.New("page").Funcs(pageFuncs()).Parse(styleText + pageText)),
	}
}

// status returns the facts that page and JSON show.
func (p *page) status() *status.Status {
	about := status.About{Exporter: p.exporter, Sick: p.source.Healthy()}
	if p.program.LastReload != nil {
		r := p.program.LastReload()
		c := &status.Configuration{File: r.File, Successful: r.Err == nil, Applied: r.Applied}
		if r.Err != nil {
			c.Err, c.Tried = r.Err.Error(), &r.Tried
		}
		about.Config = c
	}
	about.Settings = []status.Setting{}
	for _, s := range p.program.Settings {
		about.Settings = append(about.Settings, status.Setting(s))
	}
	return status.New(p.source.Status(), about)
}

// handler serves the page, or the same facts as JSON to clients that ask for that. A view counts against the limits of scrapes, and
// views at a time share an answer.
func (p *page) handler(s *sending) http.Handler {
	asHTML := p.shared(s, htmlType, p.writeHTML)
	asJSON := p.jsonHandler(s)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Vary", "Accept")
		if wantsJSON(req) {
			asJSON.ServeHTTP(w, req)
			return
		}
		if seconds := refreshOf(req); seconds > 0 {
			w.Header().Set("Refresh", strconv.Itoa(seconds))
		}
		allowStyle(w)
		asHTML.ServeHTTP(w, req)
	})
}

// jsonHandler serves the facts as JSON.
func (p *page) jsonHandler(s *sending) http.Handler { return p.shared(s, jsonType, p.writeJSON) }

// shared serves what write writes, within the limits of scrapes.
func (p *page) shared(s *sending, contentType string, write func(w http.ResponseWriter) error) http.Handler {
	handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", contentType)
		var err error
		if req.Header.Get("Accept-Encoding") == "gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			err = compressed(w, write)
		} else {
			err = write(w)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Add("Vary", "Accept-Encoding")
		f := form{page: true, contentType: contentType, encoding: "identity"}
		if takesGzip(req) {
			f.encoding = "gzip"
		}
		req = req.Clone(req.Context())
		req.Header.Set("Accept-Encoding", f.encoding)
		s.serve(w, req, s.answers.share(f, func(res *answer) { s.answers.handle(res, handler, req) }))
	})
}

// A compressing response writes through a compressor.
type compressing struct {
	http.ResponseWriter
	zip *gzip.Writer
}

// Write implements http.ResponseWriter.
func (c *compressing) Write(b []byte) (int, error) { return c.zip.Write(b) }

func compressed(w http.ResponseWriter, write func(w http.ResponseWriter) error) error {
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := write(&compressing{w, zip}); err != nil {
		return err
	}
	return zip.Close()
}

func (p *page) writeJSON(w http.ResponseWriter) error {
	return json.NewEncoder(w).Encode(p.status())
}

func (p *page) writeHTML(w http.ResponseWriter) error {
	v := newView(p.status(), p.telemetryPath)
	if _, ok := p.source.TopSources(); ok {
		v.TopPath = topPath
	}
	return p.template.Execute(w, v)
}

// wantsJSON reports whether a client asks for JSON, and not for a page.
func wantsJSON(req *http.Request) bool {
	accept := strings.Join(req.Header.Values("Accept"), ",")
	return strings.Contains(accept, jsonType) && !strings.Contains(accept, "text/html")
}

// takesGzip reports whether a client takes compressed answers.
func takesGzip(req *http.Request) bool {
	for item := range strings.SplitSeq(strings.Join(req.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(item, ";")
		if strings.TrimSpace(name) == "gzip" {
			_, q, found := strings.Cut(weight, "=")
			f, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !found || err == nil && f > 0
		}
	}
	return false
}

// refreshOf returns the seconds after which the page is to be loaded again, 0 for never.
func refreshOf(req *http.Request) int {
	seconds, err := strconv.Atoi(req.URL.Query().Get("refresh"))
	if err != nil || seconds <= 0 {
		return 0
	}
	return min(max(seconds, minRefresh), maxRefresh)
}

// docs is where the links of the page to the documentation lead.
const docs = "https://github.com/nflog-exporter/nflog_exporter/blob/main/docs/"
