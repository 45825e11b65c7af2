// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPath(t *testing.T) {
	tests := []struct{ name, want string }{
		{name: "blue", want: "/run/netns/blue"},
		{name: "a.b", want: "/run/netns/a.b"},
		{name: "/run/netns/blue", want: "/run/netns/blue"},
		{name: "/proc/1/ns/net", want: "/proc/1/ns/net"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := pathOf(tt.name); got != tt.want {
				t.Errorf("unexpected path: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	own, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if own.FD() != 0 {
		t.Errorf("the descriptor of the program's own namespace is %d, want 0", own.FD())
	}
	own.Watch(func() { t.Error("the program's own namespace is gone") })()
	own.Close()

	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := Open(missing); !errors.Is(err, Err) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("unexpected error: %v", err)
	}
}

// TestWatch watches a path until it leads to another file or to none. An ordinary file stands in for a namespace.
func TestWatch(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		gone   bool
	}{
		{name: "nothing", change: func(*testing.T, string) {}},
		{
			name: "moved, with a link to it",
			change: func(t *testing.T, path string) {
				t.Helper()
				if err := errors.Join(os.Rename(path, path+".moved"), os.Symlink(path+".moved", path)); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "deleted", gone: true,
			change: func(t *testing.T, path string) {
				t.Helper()
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "replaced", gone: true,
			change: func(t *testing.T, path string) {
				t.Helper()
				if err := errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path)); err != nil {
					t.Fatal(err)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "namespace")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				n, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer n.Close()
				var gone atomic.Int32
				stop := n.Watch(func() { gone.Add(1) })
				time.Sleep(time.Minute)
				synctest.Wait()
				if gone.Load() != 0 {
					t.Fatal("gone was called before a change")
				}

				tt.change(t, path)
				time.Sleep(4 * time.Second) // a deleted namespace must be released within 5
				synctest.Wait()
				want := int32(0)
				if tt.gone {
					want = 1
				}
				if got := gone.Load(); got != want {
					t.Errorf("gone was called %d times, want %d", got, want)
				}

				stop()
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := gone.Load(); got != want {
					t.Errorf("gone was called %d times after stop, want %d", got, want)
				}
			})
		})
	}
}
