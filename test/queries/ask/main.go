// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command ask runs all queries of dashboards, rules and documentation on a Prometheus, and prints how many series each result has.
// It fails if a query fails.
//
//	go run ./test/queries/ask -prometheus http://localhost:9090 -job nflog -instance localhost:10100
//
// With -rules it runs no query, but writes all queries as a file of recording rules, for promtool to parse.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/queries"
)

func main() {
	server := flag.String("prometheus", "http://localhost:9090", "URL of Prometheus")
	tree := flag.String("tree", ".", "root of the project's tree")
	job := flag.String("job", "nflog", "scrape job of the exporter")
	instance := flag.String("instance", "localhost:10100", "instance of the exporter")
	timeRange := flag.Duration("range", time.Hour, "time range of the dashboards, until now")
	scrape := flag.Duration("scrape", 15*time.Second, "scrape interval")
	asRules := flag.Bool("rules", false, "write the queries as rules")
	flag.Parse()

	all, err := filled(*tree, queries.Everything(*job, *instance, *timeRange, *scrape))
	switch {
	case err != nil:
	case *asRules:
		err = writeRules(os.Stdout, all)
	default:
		a := asker{queries.Server{URL: *server, Client: http.DefaultClient}, *timeRange, *scrape}
		if !a.ask(all) {
			os.Exit(1)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "ask: %v\n", err)
		os.Exit(1)
	}
}

// filled returns all queries of the project with their variables filled in.
func filled(tree string, values queries.Values) ([]queries.Query, error) {
	all, err := queries.All(os.DirFS(tree))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i], err = all[i].Fill(values); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// writeRules writes queries as recording rules in JSON, which is valid YAML.
func writeRules(w io.Writer, all []queries.Query) error {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	g := group{Name: "queries"}
	for i, q := range all {
		g.Rules = append(g.Rules, rule{fmt.Sprintf("query:%d", i), q.Expr})
	}
	return json.NewEncoder(w).Encode(map[string][]group{"groups": {g}})
}

// An asker runs queries on a Prometheus.
type asker struct {
	server            queries.Server
	timeRange, scrape time.Duration
}

// ask runs all queries, and reports whether none failed.
func (a asker) ask(all []queries.Query) bool {
	ok, empty := true, 0
	now := time.Now()
	for _, q := range all {
		answer, err := a.server.Ask(context.Background(), q, now, a.timeRange, a.scrape)
		switch {
		case err != nil:
			ok = false
			fmt.Println(err)
		case answer.Items == 0:
			empty++
			fmt.Printf("nothing  %s\n", q.Where)
		default:
			fmt.Printf("%7d  %s\n", answer.Items, q.Where)
		}
	}
	fmt.Printf("%d queries, %d returned nothing\n", len(all), empty)
	return ok
}
