// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/nflog-exporter/nflog_exporter/internal/config"
)

// Listen opens the listening sockets that the command line asks for. Its errors name the flag.
func Listen(o config.Web) ([]net.Listener, error) {
	if *o.Toolkit.WebSystemdSocket {
		listeners, err := systemdListeners()
		if err != nil {
			return nil, fmt.Errorf("--web.systemd-socket: %w", err)
		}
		return listeners, nil
	}

	var listeners []net.Listener
	for _, address := range *o.Toolkit.WebListenAddresses {
		l, err := listenTCP(address)
		if err != nil {
			closeAll(listeners)
			return nil, &config.FlagError{
				Flag:  "web.listen-address",
				Value: address,
				Err:   fmt.Errorf("must be HOST:PORT or :PORT of this host, not in use: %w%s", err, listenCure(err)),
			}
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func listenTCP(address string) (net.Listener, error) {
	if address == "" {
		// Package net would take any port of any address.
		return nil, errors.New("empty address")
	}
	if strings.HasPrefix(address, "vsock://") {
		return nil, errors.New("vsock is not supported")
	}
	return net.Listen("tcp", address)
}

// listenCure returns what to append to an error of net.Listen: what is in the way, or what to use instead.
func listenCure(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		if bad, ok := errors.AsType[*net.OpError](err); ok {
			if address, ok := bad.Addr.(*net.TCPAddr); ok {
				if holder := portHolder(address); holder != "" {
					return ": held by " + holder
				}
			}
		}
		return ": ss -ltnp shows by whom, as root"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return hostAddresses()
	case errors.Is(err, syscall.EACCES):
		return ": ports below the sysctl net.ipv4.ip_unprivileged_port_start need the capability CAP_NET_BIND_SERVICE"
	}
	return ""
}

// maxAddresses is how many addresses of the host a message names.
const maxAddresses = 8

// hostAddresses says which addresses the host has. Those of one link alone, which need a zone, are left out.
func hostAddresses() string {
	addresses, _ := net.InterfaceAddrs()
	var texts []string
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			texts = append(texts, n.IP.String())
		}
	}
	if len(texts) == 0 {
		return ": ip address lists those of this host"
	}
	if more := len(texts) - maxAddresses; more > 0 {
		texts = append(texts[:maxAddresses], fmt.Sprintf("and %d more, which ip address lists", more))
	}
	return ": this host has " + strings.Join(texts, ", ")
}

func systemdListeners() ([]net.Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, err
	}
	if len(listeners) == 0 {
		return nil, errors.New("systemd passed no socket: the service must be started by a socket unit")
	}
	if slices.Contains(listeners, nil) {
		closeAll(listeners)
		return nil, errors.New("systemd passed a socket that can't be listened on: the socket unit must have only ListenStream=")
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		if l != nil {
			l.Close()
		}
	}
}
