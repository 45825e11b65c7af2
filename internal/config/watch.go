// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"context"
	"crypto/sha256"
	"time"
)

// A fileState is what a look at the configuration file found. Equal states need no reload.
type fileState struct {
	sum [sha256.Size]byte // hash of the contents, zero if they could not be read
	err string
}

func stateOf(data []byte, err error) fileState {
	if err != nil {
		return fileState{err: err.Error()}
	}
	return fileState{sum: sha256.Sum256(data)}
}

// Watch looks at the configuration file at each interval, until ctx ends, and applies it if its contents have changed. It
// compares contents: the file can be in a mounted ConfigMap, where a symbolic link to a folder changes, or on a network
// mount. Notifications of the kernel tell of neither.
func (r *Reloader) Watch(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if r.hasChanged() {
			_ = r.Reload() // logs the error
		}
	}
}

// hasChanged reports whether the file differs from the one that was tried last. A file with mistakes is tried once.
func (r *Reloader) hasChanged() bool {
	r.running <- struct{}{}
	defer func() { <-r.running }()
	return stateOf(r.options.readFile()) != r.tried
}
