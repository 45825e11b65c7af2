// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/prometheus/tsdb"
)

// settings are the flags.
type settings struct {
	nodes, labelSets  int
	minutes, evaluate int
	week              bool
	rules             string
	end               int64
}

func main() {
	var s settings
	flag.IntVar(&s.nodes, "nodes", 100, "nodes of the fleet")
	flag.IntVar(&s.labelSets, "label-sets", 300, "label sets of each node")
	flag.IntVar(&s.minutes, "minutes", 60, "minutes to simulate; there is a scrape each minute")
	flag.IntVar(&s.evaluate, "evaluate", 60, "evaluate the rules in the last minutes")
	flag.BoolVar(&s.week, "week", false, "with what the rules recorded in the week before")
	flag.StringVar(&s.rules, "rules", "../../deploy/prometheus/*.yml", "files of rules")
	end := flag.String("end", "", "end of the simulation, as in 2026-01-02T15:04:05Z (default now)")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: fleet [flags] FOLDER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	at := time.Now()
	if *end != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, *end); err != nil {
			fmt.Fprintln(os.Stderr, "fleet:", err)
			os.Exit(2)
		}
	}
	s.end = at.Truncate(step).UnixMilli()
	if err := run(s, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// run simulates a fleet, reports on the rules, and writes the data to a new folder.
func run(s settings, folder string) error {
	ctx := context.Background()
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = (90 * 24 * time.Hour).Milliseconds()
	options.WALSegmentSize = -1 // no write-ahead log
	db, err := tsdb.Open(filepath.Join(folder, "head"), log.NewNopLogger(), nil, options, nil)
	if err != nil {
		return err
	}
	db.DisableCompactions()
	e, err := newEvaluator(ctx, db, s.rules)
	if err != nil {
		return err
	}

	if s.week {
		if err := appendWeek(ctx, db, s); err != nil {
			return err
		}
	}
	fleet := newFleet(s)
	for minute := range s.minutes {
		left := s.minutes - 1 - minute
		at := s.end - int64(left)*step.Milliseconds()
		app := db.Appender(ctx)
		for _, n := range fleet {
			n.simulate(left)
			if err := n.scrape(app, at, left); err != nil {
				return errors.Join(err, app.Rollback())
			}
		}
		if err := app.Commit(); err != nil {
			return err
		}
		if left < s.evaluate {
			if err := e.evaluate(ctx, at); err != nil {
				return err
			}
		}
	}
	e.report(os.Stdout)
	return errors.Join(db.Snapshot(folder, true), db.Close(), os.RemoveAll(filepath.Join(folder, "head")))
}
