// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package config

import "errors"

// statNamespace is for Linux only.
func statNamespace(string) (id namespaceID, isNamespace bool, err error) {
	return id, false, errors.ErrUnsupported
}
