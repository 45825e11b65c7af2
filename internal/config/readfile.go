// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// readTimeout is how long a file may take to be read. A mount whose server is gone can block each system call for good.
const readTimeout = 5 * time.Second

// errNoAnswer is the error of a file that was not read in time.
var errNoAnswer = fmt.Errorf("the file system does not answer within %v, like a network mount without its server", readTimeout)

// inTime returns the result of f, or errNoAnswer after readTimeout. In that case, f goes on in a goroutine of its own.
func inTime[T any](f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	timer := time.NewTimer(readTimeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
		return *new(T), errNoAnswer
	}
}

// A fileReader reads the configuration file, and files that it names. If a read hangs, further ones are refused until it has ended: each would keep a
// thread.
type fileReader struct {
	read func(path string, most int64) ([]byte, error) // readRegular if nil

	mu    sync.Mutex // guards what follows
	began time.Time  // of the read under way, zero if there is none
}

// readFile reads a file of at most that many bytes.
func (r *fileReader) readFile(path string, most int64) ([]byte, error) {
	read := r.read
	if read == nil {
		read = readRegular
	}
	if began, ok := r.begin(); !ok {
		return nil, fmt.Errorf("%s: the file system has not answered since %s", path, began.UTC().Format(time.RFC3339))
	}
	data, err := inTime(func() ([]byte, error) {
		defer r.end()
		return read(path, most)
	})
	if errors.Is(err, errNoAnswer) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return data, err
}

// begin reports whether a read may begin. If not, it returns when the one under way began.
func (r *fileReader) begin() (began time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began.IsZero() {
		return r.began, false
	}
	r.began = time.Now()
	return r.began, true
}

func (r *fileReader) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Time{}
}

// readRegular reads a regular file of at most that many bytes. The path may have symbolic links, as in a mounted ConfigMap.
func readRegular(path string, most int64) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > most:
		return nil, fmt.Errorf("%s: must not be larger than %s", path, formatSize(uint64(most)))
	}
	return data, nil
}

// openRegular opens a regular file. It does not open anything else: opening a named pipe waits for a writer, and opening a
// device can have an effect.
func openRegular(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, notRegular(path, info)
	}
	// The path may lead to another file by now.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func notRegular(path string, info fs.FileInfo) error {
	kind := "device"
	switch mode := info.Mode(); {
	case mode.IsDir():
		kind = "directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "pipe"
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	}
	return fmt.Errorf("%s: must be a regular file, not a %s", path, kind)
}
