// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	_ "embed" // the template
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// Paths of the page of top sources, and of the same facts as JSON.
const (
	topPath     = "/top"
	topJSONPath = "/top.json"
)

// maxTopPrefixes is how many prefixes the page shows. All of them are in the JSON.
const maxTopPrefixes = 100

//go:embed top.html
var topText string

// A topSourcer has the heaviest sources by group and prefix, if it was asked for them. A collector.Collector is one.
type topSourcer interface {
	TopSources() (groups []collector.GroupSources, ok bool)
}

// A topPage says who sends the packets: to people, and as JSON.
type topPage struct {
	source   topSourcer
	template *template.Template
}

func newTopPage(s topSourcer) *topPage {
	t := template.New("top").Funcs(pageFuncs()).Funcs(template.FuncMap{
		"share": func(f float64) string { return fmt.Sprintf("%.1f", 100*f) },
		"width": func(f float64) int { return int(min(100, max(1, 100*f))) },
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"join":  func(s []string) string { return strings.Join(s, ", ") },
	})
	return &topPage{source: s, template: template.Must(t.Parse(styleText + topText))}
}

// Top is what /top.json has.
type Top struct {
	Time          time.Time   `json:"time"`
	DistinctError float64     `json:"distinctSourcesStandardError"` // as a share
	Prefixes      []topPrefix `json:"prefixes"`
}

type topPrefix struct {
	Group    uint16      `json:"group"`
	NetNS    string      `json:"netns,omitempty"`
	Prefix   string      `json:"prefix"`
	Since    time.Time   `json:"since"`
	Packets  uint64      `json:"packets"`
	Distinct uint64      `json:"distinctSources"`
	MaxError uint64      `json:"maxError"` // packets by which packets of a source can be too many
	Sources  []topSource `json:"sources"`
}

type topSource struct {
	Address   string    `json:"address"`
	AtLeast   uint64    `json:"packetsAtLeast"`
	Packets   uint64    `json:"packets"` // at most
	Bytes     uint64    `json:"bytes"`
	Share     float64   `json:"share"`
	StandsOut bool      `json:"standsOut"`
	Ports     []string  `json:"destinationPorts"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// StandOut returns how many sources stand out.
func (p *topPrefix) StandOut() int {
	n := 0
	for i := range p.Sources {
		if p.Sources[i].StandsOut {
			n++
		}
	}
	return n
}

// facts returns what page and JSON show, of the prefix with a name alone if that is not nil.
func (p *topPage) facts(prefix *string) *Top {
	top := &Top{Time: time.Now(), DistinctError: collector.TopSourcesError, Prefixes: []topPrefix{}}
	groups, _ := p.source.TopSources()
	for _, g := range groups {
		for i := range g.Prefixes {
			r := &g.Prefixes[i]
			if prefix != nil && r.Prefix != *prefix {
				continue
			}
			of := topPrefix{
				Group: g.Group, NetNS: g.NetNS, Prefix: r.Prefix, Since: r.Since, Packets: r.Packets,
				Distinct: uint64(r.Distinct + 0.5), MaxError: r.MaxError, Sources: []topSource{},
			}
			for _, s := range r.Sources {
				of.Sources = append(of.Sources, topSource(s))
			}
			top.Prefixes = append(top.Prefixes, of)
		}
	}
	return top
}

// register serves the page and the JSON, if top sources are asked for. Views count against the limits of scrapes, and those at a
// time share an answer.
func (p *topPage) register(mux *http.ServeMux, s *sending) {
	if _, ok := p.source.TopSources(); !ok {
		return
	}
	mux.Handle("GET "+topPath, p.shared(s, "text/html; charset=utf-8", p.writeHTML))
	mux.Handle("GET "+topJSONPath, p.shared(s, "application/json", p.writeJSON))
}

// shared serves what write writes, within the limits of scrapes.
func (p *topPage) shared(s *sending, contentType string, write func(http.ResponseWriter, *Top) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if contentType != "application/json" {
			allowStyle(w)
		}
		w.Header().Set("Cache-Control", "no-store")
		prefix := queriedPrefix(req.URL.Query())
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			if err := write(w, p.facts(prefix)); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
		f := form{page: true, contentType: topPath + " " + contentType}
		if prefix == nil {
			s.serve(w, req, s.answers.share(f, func(res *answer) { s.answers.handle(res, handler, req) }))
			return
		}
		// Answers by prefix are small, and nobody shares them: clients choose any text.
		res := newAnswer()
		s.answers.make(res, func() { s.answers.handle(res, handler, req) })
		s.serve(w, req, res)
	})
}

// queriedPrefix returns the prefix that a query asks for, nil for all.
func queriedPrefix(query url.Values) *string {
	if !query.Has("prefix") {
		return nil
	}
	prefix := query.Get("prefix")
	return &prefix
}

func (p *topPage) writeJSON(w http.ResponseWriter, top *Top) error {
	return json.NewEncoder(w).Encode(top)
}

func (p *topPage) writeHTML(w http.ResponseWriter, top *Top) error {
	view := struct {
		*Top
		Error    string // in percent
		More     int
		JSONPath string
	}{Top: top, Error: fmt.Sprintf("%.1f", 100*top.DistinctError), JSONPath: topJSONPath}
	if n := len(top.Prefixes); n > maxTopPrefixes {
		view.More, top.Prefixes = n-maxTopPrefixes, top.Prefixes[:maxTopPrefixes]
	}
	return p.template.Execute(w, view)
}
