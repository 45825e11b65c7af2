// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Server is a Prometheus.
type Server struct {
	URL    string
	Client *http.Client
}

// An Answer summarizes the result of a query.
type Answer struct {
	Items   int // series, or values of a label
	NonZero int // those with a value other than 0 at some time
}

// Ask runs the query, which must have its variables filled in. An Instant query is evaluated at the time end. The others cover
// timeRange until end; a Range query has a point each step.
func (s Server) Ask(ctx context.Context, q Query, end time.Time, timeRange, step time.Duration) (Answer, error) {
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
	answer, err := s.answer(ctx, path+"?"+form.Encode())
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w\n%s", q.Where, err, indent(q.Expr))
	}
	return answer, nil
}

// unix formats a time for Prometheus.
func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// answer requests a path of the API and counts the items of the result.
func (s Server) answer(ctx context.Context, path string) (Answer, error) {
	var data json.RawMessage
	if err := s.Get(ctx, path, &data); err != nil {
		return Answer{}, err
	}
	// Label values are an array. Other results are an object with an array.
	var values []string
	if json.Unmarshal(data, &values) == nil {
		return Answer{Items: len(values), NonZero: len(values)}, nil
	}
	var result struct {
		Result []series
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return Answer{}, err
	}
	a := Answer{Items: len(result.Result)}
	for _, s := range result.Result {
		if slices.ContainsFunc(append(s.Values, s.Value), point.nonZero) || len(s.Histogram)+len(s.Histograms) > 0 {
			a.NonZero++
		}
	}
	return a, nil
}

// A series has one point or several, or native histograms. Histograms are assumed not to be empty.
type series struct {
	Value      point
	Values     []point
	Histogram  []json.RawMessage
	Histograms []json.RawMessage
}

// A point is a time and a value, which is a string.
type point []any

func (p point) nonZero() bool { return len(p) == 2 && p[1] != "0" && p[1] != "NaN" }

// Get requests a path of Prometheus's API and decodes the data of the response into data.
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
