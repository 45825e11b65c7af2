// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package namespace opens network namespaces by name, and watches for their end.
package namespace

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

var (
	// Err is the error of a network namespace that can't be entered.
	Err = errors.New("enter network namespace")

	// ErrGone is the reason to end what runs in a network namespace that is gone.
	ErrGone = errors.New("its network namespace is gone")
)

// A Namespace is a network namespace. An open socket keeps it alive after it was deleted, so its name is watched.
type Namespace struct {
	path string
	file *os.File // nil for the program's own
	info os.FileInfo
}

// Open opens the namespace with a name or path; "" is the program's own.
func Open(name string) (*Namespace, error) {
	if name == "" {
		return &Namespace{}, nil
	}
	n := &Namespace{path: pathOf(name)}
	var err error
	// Without O_NONBLOCK, a named pipe would block until it has a writer.
	if n.file, err = os.OpenFile(n.path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
		n.info, err = n.file.Stat()
	}
	if err != nil {
		n.Close()
		return nil, fmt.Errorf("%w: %w", Err, err)
	}
	return n, nil
}

// pathOf returns the path of a namespace. One with a name only is where ip-netns(8) puts it.
func pathOf(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return "/run/netns/" + name
}

// FD returns the namespace's descriptor, 0 for the program's own.
func (n *Namespace) FD() int {
	if n.file == nil {
		return 0
	}
	return int(n.file.Fd())
}

// Close closes the descriptor.
func (n *Namespace) Close() { _ = n.file.Close() }

// WatchInterval is how often a namespace is looked for.
const WatchInterval = 2 * time.Second

// Watch calls gone when the path no longer leads to the namespace, unless stop is called before.
func (n *Namespace) Watch(gone func()) (stop func()) {
	if n.file == nil {
		return func() {}
	}
	stopped := make(chan struct{})
	ticker := time.NewTicker(WatchInterval)
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
			}
			if info, err := os.Stat(n.path); err != nil || !os.SameFile(info, n.info) {
				gone()
				return
			}
		}
	}()
	return func() { close(stopped) }
}
