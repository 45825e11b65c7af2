// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command bench compares readers of NFLOG under the same load:
//
//   - exporter: nflog_exporter
//   - c: a program in C with libnetfilter_log
//   - fast: a program with the Reader of package nflog
//   - compatible: a program with the go-nflog API of package nflog
//   - go-nflog: the same program with go-nflog; only the import path differs
//
// Run it as root, in the root of the tree:
//
//	go build -o nflog_exporter .
//	go run ./tools/bench -exporter ./nflog_exporter
//
// Bench builds the other readers itself. In each round, every reader runs on one
// CPU in a network namespace of its own, where nftables rules log to group 100.
// Another CPU floods the loopback interface of that namespace with UDP packets.
// Bench prints a line for each measurement and a Markdown table of the medians:
// CPU time per packet, packets that were not counted, peak memory, and packets
// logged per second.
//
// Ratios compare readers within a round, and each round starts with another
// reader, so that other load on the machine affects all of them alike. Arguments
// after the flags are passed to the exporter.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Settings that all readers share: the exporter's defaults.
const (
	group         = 100
	scrapeAddress = "127.0.0.1:10100"
	packetsMetric = "nflog_packets_total"
)

// commandPinned is the command with which the program starts itself, to bind
// itself to a CPU and become a reader.
const commandPinned = "pinned"

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run runs the command in args, or else the bench with args as its flags.
func run(args []string) error {
	if len(args) > 0 && args[0] == commandPinned {
		return runPinned(args[1:])
	}
	cfg, err := parseFlags(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return runBench(ctx, cfg)
}

// config holds the values of the flags.
type config struct {
	load     load
	rounds   int
	readers  []string
	exporter []string // command line
}

func parseFlags(args []string) (config, error) {
	var cfg config
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // main prints the error
	fs.IntVar(&cfg.rounds, "rounds", 5, "measure each reader `N` times")
	fs.IntVar(&cfg.load.rules, "rules", 20, "log each packet by `N` rules")
	fs.IntVar(&cfg.load.prefixes, "prefixes", 4, "give the rules `N` different prefixes")
	fs.IntVar(&cfg.load.packets, "packets", 50000, "send `N` packets")
	fs.IntVar(&cfg.load.size, "size", 200, "send packets with `N` bytes of UDP payload")
	fs.IntVar(&cfg.load.pps, "pps", 0, "send `N` packets per second; 0 is as fast as possible")
	fs.BoolVar(&cfg.load.ipv6, "ipv6", false, "send IPv6 packets")
	exporter := fs.String("exporter", "./nflog_exporter", "measure the exporter in `FILE`")
	readers := fs.String("readers", strings.Join(readerNames, ","), "measure the readers in `LIST`")
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Println("usage: bench [flags] [-- the exporter's flags]")
		fs.SetOutput(os.Stdout)
		fs.PrintDefaults()
	}
	if err != nil {
		return config{}, err
	}
	cfg.exporter = append([]string{*exporter}, fs.Args()...)
	cfg.readers = strings.Split(*readers, ",")

	if cfg.rounds < 1 {
		return config{}, fmt.Errorf("-rounds %d: want at least 1", cfg.rounds)
	}
	for i, name := range cfg.readers {
		if !slices.Contains(readerNames, name) {
			return config{}, fmt.Errorf("-readers %s: want some of %s", *readers, strings.Join(readerNames, ","))
		}
		if slices.Contains(cfg.readers[:i], name) {
			return config{}, fmt.Errorf("-readers %s: %s is there twice", *readers, name)
		}
	}
	return cfg, cfg.load.validate()
}

// runBench measures all readers in all rounds and prints the results.
func runBench(ctx context.Context, cfg config) error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces and NFLOG need root: run it with sudo")
	}
	b := &bench{load: cfg.load}
	var err error
	if b.floodCPU, b.readerCPU, err = twoCPUs(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "nflog-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	readers := make([]reader, 0, len(cfg.readers))
	for _, name := range cfg.readers {
		r, err := newReader(ctx, name, cfg.exporter, dir)
		if err != nil {
			return err
		}
		readers = append(readers, r)
	}

	fmt.Printf("%s\n%s\n\n", machine(), cfg.load)
	rounds := make([]round, cfg.rounds)
	for i := range rounds {
		rounds[i] = make(round)
		for j := range readers {
			r := readers[(i+j)%len(readers)]
			m, err := b.measure(ctx, r)
			if err != nil {
				return fmt.Errorf("round %d: %s: %w", i+1, r.name, err)
			}
			rounds[i][r.name] = m
			fmt.Printf("round %d  %-10s  %s\n", i+1, r.name, m)
		}
	}
	fmt.Println()
	return writeTable(os.Stdout, summarize(cfg.readers, rounds))
}
