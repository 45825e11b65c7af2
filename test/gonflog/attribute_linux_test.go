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

// convert returns the attributes that nflog must have for a packet that go-nflog has
// read.
//
// They differ in the VLAN tag: go-nflog reads its fields in native byte order, not in
// network byte order.
func convert(a gonflog.Attribute) nflog.Attribute {
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

// networkOrder returns the value of v's bytes in network byte order.
func networkOrder(v uint16) uint16 {
	return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, v))
}

// compare compares the attributes of a packet as go-nflog and nflog have read them.
// The packet was logged to theirGroup and right after that to ourGroup. A nil pointer
// differs from a pointer to zero, and a nil slice from an empty one.
func compare(t testing.TB, theirs, ours nflog.Attribute, unstamped bool) {
	t.Helper()
	if isOld() && theirs.Hook != nil && ours.Hook != nil && *theirs.Hook == 0 {
		theirs.Hook = ours.Hook // it reads the byte after the hook, which is 0
	}
	if theirs.SeqGlobal != nil {
		// Both groups share this counter of the kernel.
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

// checkPresent checks that a packet has these attributes.
func checkPresent(t testing.TB, a nflog.Attribute, names ...string) {
	t.Helper()
	v := reflect.ValueOf(a)
	for _, name := range names {
		if v.FieldByName(name).IsNil() {
			t.Errorf("packet has no %s: %s", name, cmp.Diff(nflog.Attribute{}, a))
		}
	}
}

// checkAbsent checks that a packet does not have these attributes.
func checkAbsent(t testing.TB, a nflog.Attribute, names ...string) {
	t.Helper()
	v := reflect.ValueOf(a)
	for _, name := range names {
		if !v.FieldByName(name).IsNil() {
			t.Errorf("packet has %s: %s", name, cmp.Diff(nflog.Attribute{}, a))
		}
	}
}
