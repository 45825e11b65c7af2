// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

const policyHeader = "Content-Security-Policy"

// policy lets a page load nothing, send nothing, and be part of no other page.
const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// secured adds headers for browsers to all answers. What the web configuration file has set stays.
func secured(h http.Handler) http.Handler {
	headers := map[string]string{
		policyHeader:             policy,
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        "DENY",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for name, value := range headers {
			if w.Header().Get(name) == "" {
				w.Header().Set(name, value)
			}
		}
		h.ServeHTTP(w, req)
	})
}

// allowStyle lets a page have the style sheet of styleText.
func allowStyle(w http.ResponseWriter) {
	_, style, _ := strings.Cut(styleText, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	if w.Header().Get(policyHeader) == policy {
		sum := sha256.Sum256([]byte(style))
		w.Header().Set(policyHeader, policy+"; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
}
