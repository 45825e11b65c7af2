// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package nflog_test

import (
	"errors"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func TestOpenReaderUnsupported(t *testing.T) {
	_, err := nflog.OpenReader(group, nflog.ReaderConfig{})
	if !errors.Is(err, nflog.ErrUnsupported) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("unexpected error: %v, want %v", err, nflog.ErrUnsupported)
	}
}
