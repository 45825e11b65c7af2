// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/internal/config"
)

// landingStyle makes the headings of the landing page smaller.
const landingStyle = `
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; font-weight: normal; margin-top: 0; }
h3 { font-size: 1.1rem; margin-bottom: 0; }
`

// landingHandler serves the landing page. It makes the page for each request, since the page shows the state of the groups.
func landingHandler(s Source, telemetryPath string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var groups strings.Builder
		groups.WriteString("<h3>Groups</h3>\n<ul>\n")
		for _, g := range s.Groups() {
			fmt.Fprintf(&groups, "<li>%s</li>\n", html.EscapeString(describeGroup(g)))
		}
		groups.WriteString("</ul>\n")

		page, err := toolkit.NewLandingPage(toolkit.LandingConfig{
			Name:        config.Program,
			Description: config.Description,
			Version:     cmp.Or(version.Version, version.Info()), // a plain go build sets no version
			ExtraCSS:    landingStyle,
			Links: []toolkit.LandingLinks{
				{Address: telemetryPath, Text: "Metrics", Description: "what Prometheus reads"},
				{Address: healthyPath, Text: "Health", Description: "whether the exporter runs"},
				{Address: readyPath, Text: "Readiness", Description: "whether every group has been tried"},
			},
			ExtraHTML: groups.String(),
			Profiling: "false",
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		res := response{answer: newAnswer()}
		page.ServeHTTP(&res, req)
		body := slices.Concat(res.body.all...)
		allowStyle(w, body)
		maps.Copy(w.Header(), res.header)
		w.WriteHeader(res.status)
		w.Write(body)
	}
}
