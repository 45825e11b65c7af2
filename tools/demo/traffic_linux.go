// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A job sends packets periodically.
type job struct {
	every time.Duration
	send  func() error
}

// jobs returns the jobs of the network. Together they make some 80 log messages a
// second.
func (n *network) jobs() []job {
	jobs := []job{
		{15 * time.Second, n.announce},
		{20 * time.Second, n.scan},
	}
	for _, of := range []func(node) netip.Addr{v4, v6} {
		router, host := of(lan), of(server)
		jobs = append(
			jobs,
			// to the router, and its replies
			job{500 * time.Millisecond, func() error { return traffic.Echo(n.client, router, 2, 56) }},
			job{3 * time.Second, func() error { return talk(n.client, n.router, router, 22, 2000) }},
			job{2 * time.Second, func() error { return traffic.UDP(n.client, port(router, 137), 3, 50) }},
			// through the router
			job{500 * time.Millisecond, func() error { return traffic.UDP(n.client, port(host, 53), 4, 40) }},
			job{2 * time.Second, func() error { return talk(n.client, n.server, host, 80, 20_000) }},
			job{3 * time.Second, func() error { return traffic.SYN(n.client, port(host, 23), 1) }},
			job{3 * time.Second, func() error { return traffic.UDP(n.client, port(host, 1900), 2, 120) }},
			// from the router
			job{500 * time.Millisecond, func() error { return traffic.UDP(n.router, port(host, 514), 2, 200) }},
			job{time.Second, func() error { return traffic.Echo(n.router, host, 1, 56) }},
		)
	}
	return jobs
}

// v4 and v6 return the IPv4 and the IPv6 address of a node.
func v4(n node) netip.Addr { return n.v4.Addr() }
func v6(n node) netip.Addr { return n.v6.Addr() }

// port returns addr with a port.
func port(addr netip.Addr, number uint16) netip.AddrPort {
	return netip.AddrPortFrom(addr, number)
}

// talk sends size bytes by TCP from one namespace to a port of another, and back.
func talk(from, to *netns.NS, addr netip.Addr, number uint16, size int) error {
	return traffic.TCP(from, to, port(addr, number), 1, size)
}

// scan scans TCP ports of the router.
func (n *network) scan() error {
	var errs []error
	for number := uint16(8000); number < 8060; number++ {
		errs = append(errs, traffic.SYN(n.client, port(lan.v4.Addr(), number), 1))
	}
	return errors.Join(errs...)
}

// announce sends an LLDP frame from the server, as a switch does.
func (n *network) announce() error {
	ifi, err := n.server.Interface("eth0")
	if err != nil {
		return err
	}
	everyBridge := net.HardwareAddr{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}
	payload := traffic.LLDP(ifi.HardwareAddr, ifi.Name)
	return traffic.SendFrames(n.server, ifi.Name, traffic.Ethernet(everyBridge, ifi.HardwareAddr, traffic.EtherTypeLLDP, payload))
}

// listen opens sockets at the UDP ports of the server that traffic goes to, so that
// it does not answer with ICMP errors. Close all of them, even after an error.
func (n *network) listen() ([]io.Closer, error) {
	var sinks []io.Closer
	for _, addr := range []netip.Addr{server.v4.Addr(), server.v6.Addr()} {
		for _, number := range []uint16{53, 514} {
			sink, err := traffic.Sink(n.server, port(addr, number))
			if err != nil {
				return sinks, err
			}
			sinks = append(sinks, sink)
		}
	}
	return sinks, nil
}

// send runs the jobs until ctx ends or one fails.
func (n *network) send(ctx context.Context) (err error) {
	sinks, err := n.listen()
	defer func() {
		for _, sink := range sinks {
			err = errors.Join(err, sink.Close())
		}
	}()
	if err != nil {
		return err
	}

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	jobs := n.jobs()
	failed := make(chan error, len(jobs))
	var wg sync.WaitGroup
	for _, j := range jobs {
		wg.Go(func() {
			if err := j.run(ctx); err != nil {
				failed <- fmt.Errorf("send traffic: %w", err)
				stop()
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// run runs the job until ctx ends or it fails.
func (j job) run(ctx context.Context) error {
	ticker := time.NewTicker(j.every)
	defer ticker.Stop()
	for {
		if err := j.send(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
