// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// startTimeout is the time that the exporter gets until it must serve metrics.
const startTimeout = 15 * time.Second

// errEnded reports that the exporter ended by itself.
var errEnded = errors.New("the exporter ended by itself")

// runNetwork makes the network, sends traffic in it and runs the exporter until ctx
// ends.
func runNetwork(ctx context.Context, socket *os.File) (err error) {
	url, err := socketURL(socket)
	if err != nil {
		return err
	}
	n, err := newNetwork()
	defer func() { err = errors.Join(err, n.Close()) }()
	if errors.Is(err, unix.EPERM) {
		// The system may allow user namespaces, but without capabilities in them.
		return forbidden(err)
	}
	if err != nil {
		return err
	}
	if err := n.addRules(); err != nil {
		return err
	}

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd, err := startExporter(ctx, n.router, socket)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stop(fmt.Errorf("%w: %w", errEnded, orStatus0(cmd.Wait())))
	}()
	defer func() {
		stop(nil)
		<-ended
	}()
	if err := socket.Close(); err != nil {
		return fmt.Errorf("hand over socket: %w", err)
	}
	if err := awaitMetrics(ctx, url+"/metrics"); err != nil {
		return err
	}
	printIntroduction(url)
	if err := n.send(ctx); err != nil {
		return err
	}
	return unlessStopped(ctx)
}

// orStatus0 returns err, or an error for exit status 0 if err is nil.
func orStatus0(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// unlessStopped returns the cause of ctx's end, or nil if the user stopped the demo.
func unlessStopped(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, errEnded) {
		return err
	}
	return nil
}

// socketURL returns the URL that a listening socket serves.
func socketURL(socket *os.File) (string, error) {
	listener, err := net.FileListener(socket)
	if err != nil {
		return "", fmt.Errorf("use socket: %w", err)
	}
	defer listener.Close()
	addr := listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(addr.Port)), nil
}

// awaitMetrics waits until the exporter serves its metrics.
func awaitMetrics(ctx context.Context, url string) error {
	waiting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// The socket is in the network namespace of this process, not in the router's.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		err := fetch(waiting, client, url)
		if err == nil || ctx.Err() != nil {
			return unlessStopped(ctx)
		}
		if waiting.Err() != nil {
			return fmt.Errorf("the exporter does not serve metrics: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// fetch requests url and returns an error unless the status is 200.
func fetch(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// printIntroduction tells the user what to look at.
func printIntroduction(url string) {
	fmt.Printf(`
A client and a server send packets through a router and to it, in network
namespaces of their own. No packet reaches your network. The nft rules of the
router log to NFLOG group %d, and nflog_exporter runs there. Its page, for people:

  %s/

Its metrics, for Prometheus. They grow by some 80 packets a second. In another terminal:

  curl -s %s/metrics | grep ^nflog_packets_total

Look at prefix="fw input drop", which shows a port scan every 20 seconds, and at
protocol="icmpv6". Ctrl-C ends the demo and removes everything that it has made.

`, group, url, url)
}
