// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command nflogdump prints the packets that firewall rules log to an NFLOG group, or writes them to a pcap file, until Ctrl-C.
// It needs CAP_NET_ADMIN.
//
//	nflogdump                                   print the packets of group 100
//	nflogdump -prefix '^fw drop' -hook input 5  print some packets of group 5
//	nflogdump -c 10 -w packets.pcap             write 10 packets to a file
//	nflogdump -w - | tcpdump -nr -              let tcpdump print them
//
// A group has one reader at a time. If another program reads the group, nflogdump says so and exits.
//
// It is also an example of a program that uses package nflog, and of nothing else.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "nflogdump:", err)
		os.Exit(1)
	}
}

// A command is a parsed command line.
type command struct {
	group     uint16
	prefix    *regexp.Regexp // nil for all
	hook      string         // "" for all
	count     uint64         // packets to stop after; 0 for none
	copyRange uint           // bytes of each packet
	file      string         // of pcap; "" to print
}

func parse(args []string) (command, error) {
	var c command
	flags := flag.NewFlagSet("nflogdump", flag.ExitOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: nflogdump [flags] [group]\n\nThe default group is 100.")
		flags.PrintDefaults()
	}
	flags.Func("prefix", "only packets whose prefix matches a regular `expression`", func(s string) (err error) {
		c.prefix, err = regexp.Compile(s)
		return err
	})
	flags.StringVar(&c.hook, "hook", "", "only packets of a `hook`, such as input")
	flags.Uint64Var(&c.count, "c", 0, "exit after that many `packets`")
	flags.UintVar(&c.copyRange, "s", nflog.MaxCopyRange, "copy that many `bytes` of each packet")
	flags.StringVar(&c.file, "w", "", "write pcap to a `file`, or to standard output if it is -")
	_ = flags.Parse(args) // exits at an error
	group, err := strconv.ParseUint(cmp.Or(flags.Arg(0), "100"), 10, 16)
	switch {
	case err != nil:
		return c, fmt.Errorf("group %q: not a number from 0 to 65535", flags.Arg(0))
	case flags.NArg() > 1:
		return c, fmt.Errorf("unexpected argument %q: flags precede the group", flags.Arg(1))
	case c.copyRange == 0 || c.copyRange > nflog.MaxCopyRange:
		return c, fmt.Errorf("-s %d: not from 1 to %d", c.copyRange, nflog.MaxCopyRange)
	}
	c.group = uint16(group)
	return c, nil
}

// An output takes packets.
type output interface {
	packet(p nflog.Packet) error
}

// run reads the group until a signal comes.
func run(args []string) (err error) {
	c, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := nflog.OpenReader(c.group, nflog.ReaderConfig{CopyRange: uint32(c.copyRange), QueueTimeout: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	defer r.Close()

	file := os.Stdout
	if c.file != "" && c.file != "-" {
		if file, err = os.Create(c.file); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	buffer := bufio.NewWriter(file)
	var out output = newPrinter(buffer)
	if c.file != "" {
		if out, err = newPcap(buffer); err != nil {
			return err
		}
	}
	if err := buffer.Flush(); err != nil { // a reader of the file sees that the group is bound
		return err
	}
	taken, stats, err := c.dump(ctx, r, out, buffer)
	fmt.Fprintf(os.Stderr, "%d packets received, %d of them taken, %d lost\n", stats.Packets, taken, stats.Lost)
	return err
}

// dump passes the packets that match to the output. It returns their number, and the counts up to the last packet read.
func (c *command) dump(ctx context.Context, r *nflog.Reader, out output, buffer *bufio.Writer) (taken uint64, stats nflog.Stats, err error) {
	for batch, err := range r.Batches(ctx) {
		if err != nil {
			return taken, stats, err
		}
		err = c.take(batch, out, &taken)
		stats = batch.Stats()
		if err = errors.Join(err, buffer.Flush()); err != nil || taken == c.count && taken > 0 {
			return taken, stats, err
		}
	}
	return taken, stats, nil
}

// take passes the packets of a batch that match to the output, until there are enough.
func (c *command) take(batch *nflog.Batch, out output, taken *uint64) error {
	for p := range batch.Packets() {
		if !c.matches(p.Origin()) {
			continue
		}
		if err := out.packet(p); err != nil {
			return err
		}
		if *taken++; *taken == c.count {
			return nil
		}
	}
	return nil
}

// matches reports whether the command line selects packets of an origin.
func (c *command) matches(o *nflog.Origin) bool {
	return (c.prefix == nil || c.prefix.MatchString(o.Prefix)) && (c.hook == "" || c.hook == o.HookName())
}
