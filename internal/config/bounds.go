// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Bounds of what the command line and the configuration file can set.
const (
	maxGroup          = math.MaxUint16
	maxQueueThreshold = 65535

	minQueueTimeout = nflog.TimeoutUnit
	maxQueueTimeout = time.Hour

	minSocketBuffer = 4 * kibibyte
	maxSocketBuffer = gibibyte

	// Each network namespace has sockets, label sets and buffers in the kernel.
	defaultMaxNetNS = 100
	maxNetNS        = 10_000

	maxTimeout = 10000 * time.Hour

	maxRequests = 1_000_000

	// maxFile is the size of the largest configuration file: far more than one needs.
	maxFile = 256 * kibibyte

	// maxListFile is the size of the largest file of CIDRs, and maxCIDRs is how many all networks have at most. A CIDR takes some 70
	// bytes of memory, twice as much during a reload.
	maxListFile = 16 * mebibyte
	maxCIDRs    = 250_000

	// maxMistakes is the largest number of mistakes in a file that are reported one by one.
	maxMistakes = 100
)
