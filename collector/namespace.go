// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// errNamespace: the network namespace could not be entered.
var errNamespace = errors.New("enter network namespace")

// A namespace is a network namespace that groups are read in. An open socket keeps it alive, so its
// name is watched.
type namespace struct {
	path string
	file *os.File // nil for the program's own
	info os.FileInfo
}

// openNamespace opens the namespace of that name or path; "" is the program's own.
func openNamespace(name string) (*namespace, error) {
	if name == "" {
		return &namespace{}, nil
	}
	n := &namespace{path: namespacePath(name)}
	var err error
	if n.file, err = os.Open(n.path); err == nil {
		n.info, err = n.file.Stat()
	}
	if err != nil {
		n.close()
		return nil, fmt.Errorf("%w: %w", errNamespace, err)
	}
	return n, nil
}

// namespacePath returns the path of a namespace, which ip-netns(8) gives those that have only a name.
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

// watchInterval is how often it is looked whether a namespace is there.
const watchInterval = 2 * time.Second

// watch calls gone when its name or path is not the namespace's any more, unless stop is called before.
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
