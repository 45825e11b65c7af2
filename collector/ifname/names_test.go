// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNamesName(t *testing.T) {
	// A step is a change in the kernel, a message about it or none, and a time that passes.
	type step struct {
		set     map[uint32]string // names by index, "" to delete the interface
		refresh uint32            // index in the message; 0 for no message
		last    string            // name in the message of a deletion
		wait    time.Duration
		want    map[uint32]string
		wantNew bool // whether the generation changes with this step
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{
			name: "no interface",
			steps: []step{
				{want: map[uint32]string{0: "", 7: "if7", 4294967295: "if4294967295"}},
			},
		},
		{
			name: "message before packet",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{refresh: 7, want: map[uint32]string{7: "eth0"}},
			},
		},
		{
			name: "packet before message",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{refresh: 7, want: map[uint32]string{7: "eth0"}},
			},
		},
		{
			name: "created later",
			steps: []step{
				{want: map[uint32]string{7: "if7"}},
				{set: map[uint32]string{7: "eth0"}, want: map[uint32]string{7: "if7"}},
				{refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
			},
		},
		{
			name: "created later, without a message",
			steps: []step{
				{want: map[uint32]string{7: "if7"}},
				{set: map[uint32]string{7: "eth0"}, wait: unknownLifetime, want: map[uint32]string{7: "eth0"}, wantNew: true},
			},
		},
		{
			name: "renamed",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{set: map[uint32]string{7: "wan"}, refresh: 7, want: map[uint32]string{7: "wan"}, wantNew: true},
			},
		},
		{
			name: "deleted",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{set: map[uint32]string{7: ""}, refresh: 7, last: "eth0", want: map[uint32]string{7: "eth0"}},
				{refresh: 7, last: "eth0", wait: deletedNameLifetime - time.Second, want: map[uint32]string{7: "eth0"}},
				{wait: time.Second, want: map[uint32]string{7: "if7"}, wantNew: true},
				{wait: time.Hour, want: map[uint32]string{7: "if7"}},
			},
		},
		{
			name: "deleted before the first query",
			steps: []step{
				{refresh: 7, last: "eth0", want: map[uint32]string{7: "eth0"}, wantNew: true},
				{wait: deletedNameLifetime, want: map[uint32]string{7: "if7"}, wantNew: true},
			},
		},
		{
			name: "renamed and deleted before the messages were read",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{set: map[uint32]string{7: ""}, refresh: 7, last: "wan", want: map[uint32]string{7: "wan"}, wantNew: true},
				{refresh: 7, last: "wan", want: map[uint32]string{7: "wan"}},
				{wait: deletedNameLifetime, want: map[uint32]string{7: "if7"}, wantNew: true},
			},
		},
		{
			name: "deleted without a message",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{set: map[uint32]string{7: ""}, wait: time.Hour, want: map[uint32]string{7: "eth0"}},
				{refresh: 7, want: map[uint32]string{7: "eth0"}},
				{wait: deletedNameLifetime, want: map[uint32]string{7: "if7"}, wantNew: true},
			},
		},
		{
			name: "index used again",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{set: map[uint32]string{7: "eth1"}, refresh: 7, last: "eth0", want: map[uint32]string{7: "eth1"}, wantNew: true},
				{refresh: 7, want: map[uint32]string{7: "eth1"}},
				{wait: time.Hour, want: map[uint32]string{7: "eth1"}},
			},
		},
		{
			name: "index used again after a while",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantNew: true},
				{set: map[uint32]string{7: ""}, refresh: 7, last: "eth0", want: map[uint32]string{7: "eth0"}},
				{set: map[uint32]string{7: "eth0"}, refresh: 7, wait: time.Hour, want: map[uint32]string{7: "eth0"}},
			},
		},
		{
			name: "names swapped",
			steps: []step{
				{set: map[uint32]string{1: "a", 2: "b"}, want: map[uint32]string{1: "a", 2: "b"}, wantNew: true},
				{set: map[uint32]string{1: "b", 2: "a"}, refresh: 1, want: map[uint32]string{1: "b", 2: "b"}, wantNew: true},
				{refresh: 2, want: map[uint32]string{1: "b", 2: "a"}, wantNew: true},
			},
		},
		{
			name: "message about an unknown index",
			steps: []step{
				{refresh: 7, want: map[uint32]string{7: "if7"}},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				links := newFakeLinks()
				in := newFakeNames(t, links)
				for i, s := range tt.steps {
					before := in.Generation()
					for index, name := range s.set {
						links.set(index, name)
					}
					if s.refresh != 0 {
						in.refresh(s.refresh, s.last)
					}
					time.Sleep(s.wait)
					synctest.Wait()

					got := make(map[uint32]string)
					for index := range s.want {
						got[index] = in.Name(index)
					}
					if diff := cmp.Diff(s.want, got); diff != "" {
						t.Errorf("step %d: unexpected names (-want +got):\n%s", i, diff)
					}
					if changed := in.Generation() != before; changed != s.wantNew {
						t.Errorf("step %d: generation changed: %t, want %t", i, changed, s.wantNew)
					}
				}
			})
		})
	}
}

// TestNamesQueryError checks that a failed query changes no known name.
func TestNamesQueryError(t *testing.T) {
	links := newFakeLinks()
	in := newFakeNames(t, links)
	links.set(1, "lo")
	in.refresh(1, "")
	before := in.Generation()

	links.err = errors.New("out of memory")
	in.refresh(1, "")
	got := []string{in.Name(1), in.Name(2)}
	if diff := cmp.Diff([]string{"lo", "if2"}, got); diff != "" {
		t.Errorf("unexpected names (-want +got):\n%s", diff)
	}
	if in.Generation() != before {
		t.Error("the generation has changed")
	}
}

func TestNamesClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		in := newNames(links.query)
		links.set(1, "lo")
		in.refresh(1, "")
		in.refresh(2, "eth0")
		in.Close()
		in.Close()
		time.Sleep(2 * deletedNameLifetime)
		got := []string{in.Name(1), in.Name(2)}
		if diff := cmp.Diff([]string{"lo", "eth0"}, got); diff != "" {
			t.Errorf("unexpected names (-want +got):\n%s", diff)
		}
	})
}
