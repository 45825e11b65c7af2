// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// TestIntegrationConntrack requests connections in every mode. The kernel may or may not support them.
func TestIntegrationConntrack(t *testing.T) {
	has := hasConntrack(t)
	for _, tt := range []struct {
		name string
		mode nflog.ConntrackMode
		want bool // the kernel sends connections
		fail bool
	}{
		{name: "off", mode: nflog.ConntrackOff},
		{name: "preferred", mode: nflog.ConntrackPreferred, want: has},
		{name: "required", mode: nflog.ConntrackRequired, want: has, fail: !has},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns, _ := logUDP(t)
			config := nflog.ReaderConfig{NetNS: ns.FD(), Conntrack: tt.mode, QueueThreshold: 1}
			r, err := nflog.OpenGroups([]uint16{group + 1, group}, config)
			if tt.fail {
				if !errors.Is(err, nflog.ErrNoConntrack) || !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("unexpected error: %v, want %v", err, nflog.ErrNoConntrack)
				}
				open(t, ns, nflog.ReaderConfig{}) // the group is free
				return
			}
			if err != nil {
				t.Fatalf("failed to open reader: %v", err)
			}
			defer r.Close()
			if got := r.Config().Conntrack != nflog.ConntrackOff; got != tt.want {
				t.Errorf("unexpected connections: %t, want %t", got, tt.want)
			}
			send(t, ns, target4, 3)
			// The namespace does not track connections.
			for i, p := range receive(t, r, 3) {
				if p.Conntrack != nil || p.ConntrackInfo.OK || p.ConntrackStatus.OK || p.Seq != some(uint32(i)) {
					t.Errorf("unexpected packet %d: %+v", i, p)
				}
			}
		})
	}
}
