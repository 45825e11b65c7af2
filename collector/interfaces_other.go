// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package collector

import (
	"errors"
	"fmt"

	"github.com/go-kit/log"
)

// openInterfaces returns an error: the interfaces of a network namespace are Linux's.
func openInterfaces(int, log.Logger) (*interfaces, error) {
	return nil, fmt.Errorf("names of network interfaces: %w", errors.ErrUnsupported)
}
