// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package filecap sets the file capability that the exporter's program has in images.
package filecap
