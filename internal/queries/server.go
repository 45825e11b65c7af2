// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Server is a Prometheus to ask.
type Server struct {
	URL    string
	Client *http.Client
}

// Ask asks the query, whose variables are filled in, and returns how many series or values the answer has. What it
// asks for ends at a time; what it asks over a range, begins so long before, with a point each step.
func (s Server) Ask(ctx context.Context, q Query, end time.Time, timeRange, step time.Duration) (int, error) {
	form := url.Values{}
	path := "/api/v1/query"
	switch q.Kind {
	case Instant:
		form.Set("query", q.Expr)
		form.Set("time", unix(end))
	case Range:
		path = "/api/v1/query_range"
		form.Set("query", q.Expr)
		form.Set("start", unix(end.Add(-timeRange)))
		form.Set("end", unix(end))
		form.Set("step", strconv.FormatFloat(step.Seconds(), 'f', -1, 64))
	case LabelValues:
		path = "/api/v1/label/" + url.PathEscape(q.Label) + "/values"
		form.Set("match[]", q.Expr)
		form.Set("start", unix(end.Add(-timeRange)))
		form.Set("end", unix(end))
	}
	n, err := s.count(ctx, path+"?"+form.Encode())
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", q.Where, err, indent(q.Expr))
	}
	return n, nil
}

// unix writes a time as Prometheus reads it.
func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// count counts what there is in an answer.
func (s Server) count(ctx context.Context, path string) (int, error) {
	var data json.RawMessage
	if err := s.Get(ctx, path, &data); err != nil {
		return 0, err
	}
	// Of label values an array, of queries an object with one.
	var items []json.RawMessage
	if json.Unmarshal(data, &items) == nil {
		return len(items), nil
	}
	var result struct {
		Result []json.RawMessage
	}
	err := json.Unmarshal(data, &result)
	return len(result.Result), err
}

// Get asks for a path of Prometheus's API and stores the data of the answer in data.
func (s Server) Get(ctx context.Context, path string, data any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("status %s: %w", response.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("status %s: %s", response.Status, answer.Error)
	}
	return nil
}
