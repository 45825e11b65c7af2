// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package filecap gives programs the file capability that the exporter has in images.
package filecap
