// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

const (
	attrTuple  = 1 // CTA_TUPLE_ORIG
	attrStatus = 3 // CTA_STATUS
)

func TestConntrackInfo(t *testing.T) {
	tests := []struct {
		info   nflog.ConntrackInfo
		state  string
		reply  bool
		string string
	}{
		{info: nflog.ConntrackEstablished, state: "established", string: "established"},
		{info: nflog.ConntrackRelated, state: "related", string: "related"},
		{info: nflog.ConntrackNew, state: "new", string: "new"},
		{info: nflog.ConntrackEstablishedReply, state: "established", reply: true, string: "established reply"},
		{info: nflog.ConntrackRelatedReply, state: "related", reply: true, string: "related reply"},
		{info: 5, state: "5", string: "5"},
		{info: 6, state: "6", string: "6"},
		{info: nflog.ConntrackUntracked, state: "untracked", string: "untracked"},
		{info: 0xffffffff, state: "4294967295", string: "4294967295"},
	}
	for _, tt := range tests {
		t.Run(tt.string, func(t *testing.T) {
			if got := tt.info.State(); got != tt.state {
				t.Errorf("unexpected state: %q, want %q", got, tt.state)
			}
			if got := tt.info.Reply(); got != tt.reply {
				t.Errorf("unexpected reply: %t, want %t", got, tt.reply)
			}
			if got := tt.info.String(); got != tt.string {
				t.Errorf("unexpected string: %q, want %q", got, tt.string)
			}
		})
	}
}

// TestConntrackStatusBits compares the bits with enum ip_conntrack_status.
func TestConntrackStatusBits(t *testing.T) {
	tests := []struct {
		status nflog.ConntrackStatus
		bit    uint
		want   string
	}{
		{nflog.StatusExpected, 0, "expected"},
		{nflog.StatusSeenReply, 1, "seen-reply"},
		{nflog.StatusAssured, 2, "assured"},
		{nflog.StatusConfirmed, 3, "confirmed"},
		{nflog.StatusSourceNAT, 4, "snat"},
		{nflog.StatusDestNAT, 5, "dnat"},
		{nflog.StatusSeqAdjust, 6, "seq-adjust"},
		{nflog.StatusSourceNATDone, 7, "snat-done"},
		{nflog.StatusDestNATDone, 8, "dnat-done"},
		{nflog.StatusDying, 9, "dying"},
		{nflog.StatusFixedTimeout, 10, "fixed-timeout"},
		{nflog.StatusTemplate, 11, "template"},
		{nflog.StatusNATClash, 12, "nat-clash"},
		{nflog.StatusHelper, 13, "helper"},
		{nflog.StatusOffload, 14, "offload"},
		{nflog.StatusHWOffload, 15, "hw-offload"},
		{1 << 16, 16, "0x10000"},
		{1 << 31, 31, "0x80000000"},
	}
	for _, tt := range tests {
		if tt.status != 1<<tt.bit {
			t.Errorf("unexpected value of %s: %#x, want %#x", tt.want, uint32(tt.status), 1<<tt.bit)
		}
		if got := tt.status.String(); got != tt.want {
			t.Errorf("unexpected string of bit %d: %q, want %q", tt.bit, got, tt.want)
		}
	}
}

func TestConntrackStatusString(t *testing.T) {
	for status, want := range map[nflog.ConntrackStatus]string{
		0:     "",
		0xe:   "seen-reply,assured,confirmed",
		0x1aa: "seen-reply,confirmed,dnat,snat-done,dnat-done",
		0xffffffff: "expected,seen-reply,assured,confirmed,snat,dnat,seq-adjust,snat-done,dnat-done,dying,fixed-timeout," +
			"template,nat-clash,helper,offload,hw-offload,0xffff0000",
	} {
		if got := status.String(); got != want {
			t.Errorf("unexpected string of %#x: %q, want %q", uint32(status), got, want)
		}
	}
}

// statusOf returns the decoded status of a connection with these attributes.
func statusOf(t testing.TB, tree []byte) optional[nflog.ConntrackStatus] {
	t.Helper()
	got := decode(nflog.NewDecoder(group), packet(header(), attr(attrConntrack|flagNested, tree...)))
	if len(got) != 1 || !bytes.Equal(got[0].Conntrack, tree) {
		t.Fatalf("unexpected packets: %+v, want one with a connection of % x", got, tree)
	}
	return got[0].ConntrackStatus
}

// TestConntrackStatusTruncated decodes the status of truncated attributes.
func TestConntrackStatusTruncated(t *testing.T) {
	for _, c := range conntrackCaptures() {
		t.Run(c.name, func(t *testing.T) {
			tree, want := c.want[0].Conntrack, c.want[0].ConntrackStatus
			status := attr(attrStatus, be32(uint32(want.Value))...)
			end := bytes.Index(tree, status) + len(status)
			for n := range tree {
				got := statusOf(t, tree[:n])
				if n < end && got.OK || n >= end && got != want {
					t.Errorf("unexpected status of %d bytes: %+v, want %+v from %d bytes on", n, got, want, end)
				}
			}
		})
	}
}

// A conntrackTree is an input for ConntrackStatus.
type conntrackTree struct {
	name string
	tree []byte
	want optional[nflog.ConntrackStatus]
}

// conntrackTrees returns attributes that no kernel sends.
func conntrackTrees() []conntrackTree {
	status := attr(attrStatus, 0, 0, 0, 0xe)
	found := some(nflog.ConntrackStatus(0xe))
	none := optional[nflog.ConntrackStatus]{}
	return []conntrackTree{
		{name: "empty", want: none},
		{name: "padding", tree: make([]byte, 4), want: none},
		{name: "random bytes", tree: bytes.Repeat([]byte{0xff}, 40), want: none},
		{name: "other attributes", tree: slices.Concat(attr(7, 0, 0, 0, 1), attr(12, 1, 2, 3, 4)), want: none},
		{name: "no value", tree: attr(attrStatus), want: none},
		{name: "short", tree: attr(attrStatus, 0, 0, 0xe), want: none},
		{name: "long", tree: attr(attrStatus, 0, 0, 0, 0xe, 1, 2, 3, 4), want: found},
		{name: "short, then valid", tree: slices.Concat(attr(attrStatus, 0, 0xe), status), want: found},
		{name: "twice", tree: slices.Concat(status, attr(attrStatus, 0, 0, 0, 1)), want: found},
		{name: "nested", tree: attr(attrTuple|flagNested, status...), want: none},
		{name: "after a nested one", tree: slices.Concat(attr(attrTuple|flagNested, attr(attrStatus, 0, 0, 0, 1)...), status), want: found},
		{name: "flags in the type", tree: attr(attrStatus|flagNested|flagNetByteOrder, 0, 0, 0, 0xe), want: found},
		{name: "after length 0", tree: slices.Concat(withAttrLength(attr(7), 0), status), want: none},
		{name: "after length 3", tree: slices.Concat(withAttrLength(attr(7), 3), status), want: none},
		{name: "after a length too large", tree: slices.Concat(withAttrLength(attr(7), 13), status), want: none},
		{name: "after the largest length", tree: slices.Concat(withAttrLength(attr(7), 0xffff), status), want: none},
		{name: "after padding", tree: slices.Concat(attr(7, 1), status), want: found},
		{name: "length too large", tree: withAttrLength(attr(attrStatus, 0, 0, 0, 0xe), 9), want: none},
	}
}

func TestConntrackStatusUnusual(t *testing.T) {
	for _, tt := range conntrackTrees() {
		t.Run(tt.name, func(t *testing.T) {
			if got := statusOf(t, tt.tree); got != tt.want {
				t.Errorf("unexpected status: %+v, want %+v", got, tt.want)
			}
		})
	}
}
