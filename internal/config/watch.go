// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"context"
	"crypto/sha256"
	"time"
)

// A fileState is what a look at a file found. Equal states need no reload.
type fileState struct {
	most int64             // bytes that the file may have
	sum  [sha256.Size]byte // hash of the contents, zero if they could not be read
	err  string
}

// fileStates are the states of the configuration file and of the files that it names, by path.
type fileStates map[string]fileState

// read reads a file of at most that many bytes, and notes its state.
func (s fileStates) read(r *fileReader, path string, most int64) ([]byte, error) {
	data, err := r.readFile(path, most)
	state := fileState{most: most}
	if err != nil {
		state.err = err.Error()
	} else {
		state.sum = sha256.Sum256(data)
	}
	s[path] = state
	return data, err
}

// Watch looks at the configuration file, and at those that it names, at each interval, until ctx ends, and applies it if their contents have changed. It
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

// hasChanged reports whether a file differs from the one that was tried last. A file with mistakes is tried once.
func (r *Reloader) hasChanged() bool {
	r.running <- struct{}{}
	defer func() { <-r.running }()
	now := make(fileStates)
	for path, tried := range r.tried {
		_, _ = now.read(&r.options.reader, path, tried.most)
		if now[path] != tried {
			return true
		}
	}
	return false
}
