// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// appendWeek appends what the rules that look back would have recorded in the week before: the rate by node and prefix
// at this time of each day, and by prefix and by node all the time.
func appendWeek(ctx context.Context, db *tsdb.DB, s settings) error {
	type recorded struct {
		labels labels.Labels
		ref    storage.SeriesRef
		value  float64
		daily  bool
	}
	var all []*recorded
	add := func(daily bool, value float64, pairs ...string) {
		all = append(all, &recorded{labels: labels.FromStrings(append(pairs, "job", "nflog")...), value: value, daily: daily})
	}
	for _, p := range prefixes {
		if p.prefix == newPrefix {
			continue
		}
		add(false, 1000, labels.MetricName, "prefix:nflog_packets:increase15m", "prefix", p.prefix, "action", p.action)
		add(true, 2*float64(s.nodes), labels.MetricName, "prefix:nflog_packets:rate1h", "prefix", p.prefix, "action", p.action)
		for i := range s.nodes {
			add(true, 2, labels.MetricName, "instance_group_prefix:nflog_packets:rate1h",
				"instance", fmt.Sprintf("node-%04d:10100", i), "group", "100", "prefix", p.prefix, "action", p.action)
		}
	}
	for i := range s.nodes {
		add(false, 30, labels.MetricName, "instance_group:nflog_last_packet_timestamp_seconds:age",
			"instance", fmt.Sprintf("node-%04d:10100", i), "group", "100")
	}

	const day = 24 * time.Hour
	span := time.Duration(s.minutes) * step
	end := s.end - span.Milliseconds()
	for at := s.end - (9 * day).Milliseconds(); at <= end; at += step.Milliseconds() {
		app := db.Appender(ctx)
		sinceDay := time.Duration((at-end)%day.Milliseconds())*time.Millisecond + day
		for _, r := range all {
			if r.daily && sinceDay%day > span {
				continue
			}
			var err error
			if r.ref, err = app.Append(r.ref, r.labels, at, r.value); err != nil {
				return errors.Join(err, app.Rollback())
			}
		}
		if err := app.Commit(); err != nil {
			return err
		}
	}
	return nil
}
