// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	gonflog "github.com/florianl/go-nflog/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// inOurTerms returns what nflog has to make of a packet that go-nflog has read.
//
// What differs is the tag of a VLAN: go-nflog reads its fields in the machine's
// byte order, not in the network's.
func inOurTerms(a gonflog.Attribute) nflog.Attribute {
	if a.VLAN != nil {
		a.VLAN = &gonflog.VLAN{Proto: networkOrder(a.VLAN.Proto), TCI: networkOrder(a.VLAN.TCI)}
	}
	var converted nflog.Attribute
	from, to := reflect.ValueOf(a), reflect.ValueOf(&converted).Elem()
	for i := range from.NumField() {
		field := to.FieldByName(from.Type().Field(i).Name)
		field.Set(from.Field(i).Convert(field.Type()))
	}
	return converted
}

// networkOrder returns v if its bytes are read in the network's order.
func networkOrder(v uint16) uint16 {
	return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, v))
}

// compare compares what go-nflog and nflog have read of a packet that was logged
// to ours right after theirs. It tells a nil pointer from one to a zero value, and
// a nil slice from an empty one.
func compare(t testing.TB, theirs, ours nflog.Attribute, unstamped bool) {
	t.Helper()
	if theirs.SeqGlobal != nil {
		// The kernel has one counter for both groups.
		theirs.SeqGlobal = new(*theirs.SeqGlobal + 1)
	}
	if unstamped && theirs.Timestamp != nil && ours.Timestamp != nil {
		const most = time.Second
		if later := ours.Timestamp.Sub(*theirs.Timestamp); later < 0 || later > most {
			t.Errorf("nflog's time is %v after go-nflog's, want 0 to %v", later, most)
		}
		theirs.Timestamp = ours.Timestamp
	}
	sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() })
	if diff := cmp.Diff(theirs, ours, sameTime); diff != "" {
		t.Errorf("packet differs (-go-nflog +nflog):\n%s", diff)
	}
}

// checkPresent checks that a packet has the values called names.
func checkPresent(t testing.TB, a nflog.Attribute, names ...string) {
	t.Helper()
	v := reflect.ValueOf(a)
	for _, name := range names {
		if v.FieldByName(name).IsNil() {
			t.Errorf("packet has no %s: %s", name, cmp.Diff(nflog.Attribute{}, a))
		}
	}
}

// checkAbsent checks that a packet has no values called names.
func checkAbsent(t testing.TB, a nflog.Attribute, names ...string) {
	t.Helper()
	v := reflect.ValueOf(a)
	for _, name := range names {
		if !v.FieldByName(name).IsNil() {
			t.Errorf("packet has %s: %s", name, cmp.Diff(nflog.Attribute{}, a))
		}
	}
}
