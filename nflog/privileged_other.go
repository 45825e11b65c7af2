// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package nflog

// Privileged returns ErrUnsupported: only Linux has network namespaces.
func Privileged(int, func() error) error { return ErrUnsupported }
