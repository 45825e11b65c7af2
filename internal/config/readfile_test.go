// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package config

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, data string) string {
		if err := os.WriteFile(path(name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	load := func(path string) error {
		_, _, err := (&Options{ConfigFile: path, settings: testDefaults}).Load()
		return err
	}
	comment := "#" + strings.Repeat("x", maxFile-1)
	if err := errors.Join(
		syscall.Mkfifo(path("pipe"), 0o600),
		os.Symlink("pipe", path("link to pipe")),
		os.Mkdir(path("..data"), 0o700),
		os.Symlink("..data/nflog.yml", path("nflog.yml")), // as a mounted ConfigMap has it
	); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	write("..data/nflog.yml", "groups: [{group: 7}]")

	for _, path := range []string{write("good.yml", "groups: [{group: 7}]"), write("comment.yml", comment), path("nflog.yml")} {
		if err := load(path); err != nil {
			t.Error(err)
		}
	}

	tests := []struct {
		name string
		file string // its name in the directory
		want string // FILE stands for the path
		is   error
	}{
		{name: "missing", file: "missing.yml", want: "open FILE: no such file or directory", is: os.ErrNotExist},
		{name: "directory", file: "..data", want: "FILE: must be a regular file, not a directory"},
		{name: "pipe", file: "pipe", want: "FILE: must be a regular file, not a pipe"},
		{name: "link to a pipe", file: "link to pipe", want: "FILE: must be a regular file, not a pipe"},
		{name: "socket", file: "socket", want: "FILE: must be a regular file, not a socket"},
		{name: "device", file: "/dev/zero", want: "FILE: must be a regular file, not a device"},
		{name: "too large", file: filepath.Base(write("large.yml", comment+"x")), want: "FILE: must not be larger than 256KiB"},
		{
			name: "mistakes", file: filepath.Base(write("bad.yml", "a: 1\ngroups: 1\n")),
			want: "FILE:1:1: \"a\": must be one of groups, prefix_rules, networks\nFILE:2:9: groups: must be a list",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := tt.file
			if !filepath.IsAbs(file) {
				file = path(file)
			}
			err := load(file)
			if err == nil {
				t.Fatal("loaded")
			}
			got := strings.TrimPrefix(err.Error(), `--config.file="`+file+`": must be a valid configuration file: `)
			if diff := cmp.Diff(tt.want, strings.ReplaceAll(got, file, "FILE")); diff != "" {
				t.Errorf("unexpected error (-want +got):\n%s", diff)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error is not %v", tt.is)
			}
		})
	}
}

// TestReadFileHangs has a file system that does not answer for an hour. Reads fail, none begins beside the one that hangs,
// and all is well when it has ended.
func TestReadFileHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		r := fileReader{read: func(string, int64) ([]byte, error) {
			if reads.Add(1) == 1 {
				time.Sleep(time.Hour)
			}
			return []byte("data"), io.ErrUnexpectedEOF
		}}
		start := time.Now()
		_, err := r.readFile("f.yml", maxFile)
		want := "f.yml: the file system does not answer within 5s, like a network mount without its server"
		if err == nil || err.Error() != want || time.Since(start) != readTimeout {
			t.Errorf("after %v: got error %v, want %s", time.Since(start), err, want)
		}
		for range 100 {
			time.Sleep(time.Second)
			if _, err = r.readFile("f.yml", maxFile); err == nil || err.Error() != "f.yml: the file system has not answered since 2000-01-01T00:00:00Z" {
				t.Errorf("unexpected error: %v", err)
			}
		}
		if n := reads.Load(); n != 1 {
			t.Errorf("%d reads, want 1", n)
		}
		time.Sleep(time.Hour)
		if data, err := r.readFile("f.yml", maxFile); string(data) != "data" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("unexpected result: %q, %v", data, err)
		}
	})
}

// TestWebConfigFileIsRegular has a named pipe for the file of --web.config.file.
func TestWebConfigFileIsRegular(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.yml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Parse([]string{"--web.config.file=" + path}, nil)
	want := `--web.config.file="` + path + `": must be a valid web configuration file: ` + path + ": must be a regular file, not a pipe"
	if err == nil || err.Error() != want {
		t.Errorf("unexpected error: got %v, want %s", err, want)
	}
}
