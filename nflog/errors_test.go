// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func TestErrors(t *testing.T) {
	own := []error{nflog.ErrClosed, nflog.ErrGroupHeld, nflog.ErrPermission, nflog.ErrUnsupported}
	standard := []error{os.ErrClosed, nil, os.ErrPermission, errors.ErrUnsupported}
	for i, err := range own {
		wrapped := fmt.Errorf("open: %w", err)
		for j := range own {
			if got, want := errors.Is(wrapped, own[j]), i == j; got != want {
				t.Errorf("%q is %q: %v, want %v", err, own[j], got, want)
			}
			if standard[j] == nil {
				continue
			}
			if got, want := errors.Is(wrapped, standard[j]), i == j; got != want {
				t.Errorf("%q is %q: %v, want %v", err, standard[j], got, want)
			}
		}
	}
}

func TestOpenReaderConfig(t *testing.T) {
	_, err := nflog.OpenReader(7, nflog.ReaderConfig{CopyRange: nflog.MaxCopyRange + 1})
	if err == nil || !strings.Contains(err.Error(), "group 7: copy range") {
		t.Errorf("unexpected error: %v, want one that names group and field", err)
	}
}

func TestStatsPlus(t *testing.T) {
	var a, b, want nflog.Stats
	fields := reflect.ValueOf(&want).Elem()
	for i := range fields.NumField() {
		n := uint64(i + 1)
		reflect.ValueOf(&a).Elem().Field(i).SetUint(n)
		reflect.ValueOf(&b).Elem().Field(i).SetUint(100 * n)
		fields.Field(i).SetUint(101 * n)
	}
	if diff := cmp.Diff(want, a.Plus(b)); diff != "" {
		t.Errorf("unexpected sum (-want +got):\n%s", diff)
	}
}
