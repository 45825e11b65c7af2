// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
)

// limited lets h serve at most this number of requests at a time, or any number for 0. Further requests get status 503.
//
// A request holds its slot until the client has read the response, because its memory is held that long. The limit of
// promhttp is released earlier.
func limited(most int, h http.Handler) http.Handler {
	if most == 0 {
		return h
	}
	slots := make(chan struct{}, most)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			h.ServeHTTP(w, req)
		default:
			http.Error(w, fmt.Sprintf("%d requests are being served already, try again later", most), http.StatusServiceUnavailable)
		}
	})
}
