// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
	"github.com/nflog-exporter/nflog_exporter/internal/status"
)

const plainText = "text/plain; charset=utf-8"

// healthyHandler answers with status 503 if the exporter can't do its work any more.
func healthyHandler(s Source) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", plainText)
		if err := s.Healthy(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, logging.OneLine(err.Error()))
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

// readyHandler answers with the state of each group, and with status 503 until every group was tried. A group that can't be
// bound is no reason for 503: a rollout must not wait until another program releases the group.
func readyHandler(s Source) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		groups := s.Groups()
		w.Header().Set("Content-Type", plainText)
		if slices.ContainsFunc(groups, func(g collector.GroupState) bool { return !g.Tried }) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		for _, g := range groups {
			fmt.Fprintln(w, logging.OneLine(status.Line(g)))
		}
	}
}

// reloadHandler answers with the error of reload, if any.
func reloadHandler(reload func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", plainText)
		if err := reload(); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}
