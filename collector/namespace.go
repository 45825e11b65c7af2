// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// errNamespace is the error of a network namespace that can't be entered.
var errNamespace = errors.New("enter network namespace")

// A namespace is a network namespace that groups are read in. An open socket keeps it alive after it was deleted, so its
// name is watched.
type namespace struct {
	path string
	file *os.File // nil for the program's own
	info os.FileInfo
}

// openNamespace opens the namespace with a name or path; "" is the program's own.
func openNamespace(name string) (*namespace, error) {
	if name == "" {
		return &namespace{}, nil
	}
	n := &namespace{path: namespacePath(name)}
	var err error
	// Without O_NONBLOCK, a named pipe would block until it has a writer.
	if n.file, err = os.OpenFile(n.path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
		n.info, err = n.file.Stat()
	}
	if err != nil {
		n.close()
		return nil, fmt.Errorf("%w: %w", errNamespace, err)
	}
	return n, nil
}

// namespacePath returns the path of a namespace. One with a name only is where ip-netns(8) puts it.
func namespacePath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return "/run/netns/" + name
}

// fd returns the namespace's descriptor, 0 for the program's own.
func (n *namespace) fd() int {
	if n.file == nil {
		return 0
	}
	return int(n.file.Fd())
}

func (n *namespace) close() { _ = n.file.Close() }

// watchInterval is how often a namespace is looked for.
const watchInterval = 2 * time.Second

// watch calls gone when the path no longer leads to the namespace, unless stop is called before.
func (n *namespace) watch(gone func()) (stop func()) {
	if n.file == nil {
		return func() {}
	}
	stopped := make(chan struct{})
	ticker := time.NewTicker(watchInterval)
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
