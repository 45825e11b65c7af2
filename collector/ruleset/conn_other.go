// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package ruleset

import "time"

func openSocket(int) (socket, error) { return nil, ErrUnsupported }

func threadTime() time.Duration { return 0 }
