// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

// An evaluator evaluates the rules, the groups one after the other, and keeps the times.
type evaluator struct {
	groups []*rules.Group
	times  map[rules.Rule][]time.Duration
}

// newEvaluator reads the files of a pattern.
func newEvaluator(ctx context.Context, db *tsdb.DB, pattern string) (*evaluator, error) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no rules: %s", pattern))
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50e6, Timeout: 2 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
	})
	manager := rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{},
		QueryFunc:   rules.EngineQueryFunc(engine, db),
		NotifyFunc:  func(context.Context, string, ...*rules.Alert) {},
		Context:     ctx,
		Appendable:  db,
		Queryable:   db,
		Logger:      log.NewNopLogger(),
		Registerer:  prometheus.NewRegistry(),
	})
	groups, errs := manager.LoadGroups(step, labels.EmptyLabels(), "", nil, files...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	e := &evaluator{groups: slices.Collect(maps.Values(groups)), times: make(map[rules.Rule][]time.Duration)}
	// Recording rules come first, because alerts query them.
	slices.SortFunc(e.groups, func(a, b *rules.Group) int {
		return cmp.Or(-strings.Compare(a.File(), b.File()), strings.Compare(a.Name(), b.Name()))
	})
	return e, nil
}

// evaluate evaluates the groups that are due.
func (e *evaluator) evaluate(ctx context.Context, at int64) error {
	for _, g := range e.groups {
		if at%g.Interval().Milliseconds() != 0 {
			continue
		}
		g.Eval(ctx, time.UnixMilli(at))
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				return fmt.Errorf("%s: %w", r.Name(), err)
			}
			e.times[r] = append(e.times[r], r.GetEvaluationDuration())
		}
	}
	return nil
}

// report writes the median and the longest time of each rule, the slowest first.
func (e *evaluator) report(w io.Writer) {
	median := func(r rules.Rule) time.Duration {
		slices.Sort(e.times[r])
		return e.times[r][len(e.times[r])/2]
	}
	all := slices.SortedFunc(maps.Keys(e.times), func(a, b rules.Rule) int {
		return cmp.Or(cmp.Compare(median(b), median(a)), strings.Compare(a.Name(), b.Name()))
	})
	for _, r := range all {
		times := e.times[r]
		fmt.Fprintf(w, "%6.3f s, at most %6.3f s  %s\n", median(r).Seconds(), times[len(times)-1].Seconds(), r.Name())
	}
}
