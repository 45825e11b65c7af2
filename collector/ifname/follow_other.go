// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package ifname

import (
	"errors"
	"fmt"

	"github.com/go-kit/log"
)

// Open returns an error: network namespaces are a feature of Linux.
func Open(int, log.Logger) (*Names, error) {
	return nil, fmt.Errorf("names of network interfaces: %w", errors.ErrUnsupported)
}
